#include "app/esl_options.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <strings.h>
#include <unistd.h>

enum { WORDS_MAX = 1 << 20 };

struct reader {
    int argc, at;
    char **argv;
    struct esl_options *o;
    struct va_fault *fault;
    bool follow, only_words;
    size_t words;
    char *word[3]; /* the first ones, as originate takes them */
};

/* ---- values --------------------------------------------------------------------------------- */

static enum va_err bad(struct reader *r, const char *option, const char *what)
{
    return va_fault_set(r->fault, VA_EINVAL, "%s: %s (voice-ai esl --help)", option, what);
}

/* "1.5" seconds as 1500. */
static bool seconds(const char *text, uint64_t *ret_ms)
{
    struct str rest = str_of(text), whole = str_cut(&rest, '.');
    uint64_t s = 0, part = 0;
    if (str_to_u64(whole, &s) || s > 1000000 || rest.len > 3)
        return false;
    if (rest.len && str_to_u64(rest, &part))
        return false;
    for (size_t i = rest.len; rest.len && i < 3; i++)
        part *= 10;
    *ret_ms = s * 1000 + part;
    return *ret_ms > 0;
}

static enum va_err read_port(struct reader *r, const char *value)
{
    uint64_t n = 0;
    if (str_to_u64(str_of(value), &n) || !n || n > 65535)
        return bad(r, "--port", "1 to 65535");
    r->o->port = (uint16_t)n;
    return VA_OK;
}

static enum va_err read_timeout(struct reader *r, const char *value)
{
    return seconds(value, &r->o->timeout_ms) ? VA_OK : bad(r, "--timeout", "seconds, as 5 or 0.5");
}

static enum va_err read_count(struct reader *r, const char *value)
{
    if (str_to_u64(str_of(value), &r->o->count) || !r->o->count)
        return bad(r, "--count", "a number from 1");
    return VA_OK;
}

/* The words of ps and /proc are ours to change: what is in them was copied. */
static enum va_err read_password(struct reader *r, const char *value)
{
    char *visible = r->argv[r->at];
    size_t len = strlen(value);
    if (!str_copy(r->o->password, sizeof(r->o->password), str_of(value)))
        return bad(r, "--password", "is too long");
    explicit_bzero(visible + strlen(visible) - len, len);
    return VA_OK;
}

static enum va_err read_password_file(struct reader *r, const char *path)
{
    char text[SETTING_TEXT_MAX + 2];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text));
    int cause = errno;
    if (fd >= 0)
        (void)close(fd);
    if (n < 0)
        return va_fault_set(r->fault, VA_EINVAL, "--password-file: cannot read %s: %s", path,
                            strerror(cause));
    struct str rest = str_make(text, (size_t)n), line = str_cut(&rest, '\n');
    if (line.len && line.p[line.len - 1] == '\r')
        line.len--;
    if (!line.len || !str_copy(r->o->password, sizeof(r->o->password), line))
        return va_fault_set(r->fault, VA_EINVAL,
                            "--password-file: the first line of %s is empty or too long", path);
    explicit_bzero(text, sizeof(text));
    return VA_OK;
}

static enum va_err read_execute(struct reader *r, const char *value)
{
    if (r->o->commands == ESL_COMMANDS_MAX || !str_trim(str_of(value)).len)
        return bad(r, "--execute", "is empty, or there are more than 256");
    r->o->command[r->o->commands++] = value;
    return VA_OK;
}

static enum va_err read_filter(struct reader *r, const char *value)
{
    struct str rest = str_of(value), header = str_cut(&rest, '=');
    struct esl_filter *f = &r->o->filter[r->o->filters];
    if (r->o->filters == ESL_FILTERS_MAX || !header.len || !rest.len ||
        !str_copy(f->header, sizeof(f->header), header))
        return bad(r, "--filter", "write HEADER=VALUE, at most 32 times");
    f->value = rest.p;
    r->o->filters++;
    return VA_OK;
}

static enum va_err read_log(struct reader *r, const char *value)
{
    static const char *const level[] = {"console", "alert",  "crit", "err",
                                        "warning", "notice", "info", "debug"};
    uint64_t n = 0;
    if (!str_to_u64(str_of(value), &n) && n <= 7)
        r->o->log_level = (int)n;
    for (int i = 0; i < 8; i++)
        if (str_ieqz(str_of(value), level[i]))
            r->o->log_level = i;
    if (r->o->log_level < 0)
        return bad(r, "--log", "console, alert, crit, err, warning, notice, info or debug");
    return VA_OK;
}

static enum va_err read_color(struct reader *r, const char *value)
{
    static const char *const when[] = {"auto", "always", "never"};
    for (int i = 0; i < 3; i++) {
        if (str_eqz(str_of(value), when[i])) {
            r->o->color = (enum esl_color)i;
            return VA_OK;
        }
    }
    return bad(r, "--color", "auto, always or never");
}

static enum va_err read_var(struct reader *r, const char *value)
{
    if (r->o->vars == ESL_VARS_MAX || !strchr(value, '=') || *value == '=')
        return bad(r, "--var", "write NAME=VALUE, at most 64 times");
    r->o->var[r->o->vars++] = value;
    return VA_OK;
}

static enum va_err read_host(struct reader *r, const char *value)
{
    r->o->host = value;
    return *value ? VA_OK : bad(r, "--host", "is empty");
}

static enum va_err read_user(struct reader *r, const char *value)
{
    r->o->user = value;
    return strchr(value, '@') ? VA_OK : bad(r, "--user", "write USER@DOMAIN");
}

static enum va_err read_uuid(struct reader *r, const char *value)
{
    r->o->uuid = value;
    return *value ? VA_OK : bad(r, "--uuid", "is empty");
}

static enum va_err read_caller_id(struct reader *r, const char *value)
{
    r->o->caller_id = value;
    return *value ? VA_OK : bad(r, "--caller-id", "is empty");
}

/* ---- options -------------------------------------------------------------------------------- */

/* `value` NULL: an option without one. */
static enum va_err read_flag(struct reader *r, const char *name)
{
    struct esl_options *o = r->o;
    if (str_eqz(str_of(name), "--events"))
        r->follow = true;
    else if (str_eqz(str_of(name), "--bg"))
        o->bg = true;
    else if (str_eqz(str_of(name), "--full"))
        o->full = true;
    else if (str_eqz(str_of(name), "--json"))
        o->json = true;
    else if (str_eqz(str_of(name), "--cancel-on-signal"))
        o->cancel_on_signal = true;
    else if (str_eqz(str_of(name), "--complete-names"))
        o->mode = ESL_MODE_NAMES;
    else if (str_eqz(str_of(name), "--complete-events"))
        o->mode = ESL_MODE_EVENTS;
    else
        o->mode = ESL_MODE_HELP;
    return VA_OK;
}

static const struct option {
    const char *name;
    char letter;
    enum va_err (*read)(struct reader *r, const char *value); /* NULL: has no value */
} options[] = {
    {"--host", 'H', read_host},
    {"--port", 'P', read_port},
    {"--user", 'u', read_user},
    {"--password", 'p', read_password},
    {"--password-file", 0, read_password_file},
    {"--timeout", 't', read_timeout},
    {"--execute", 'x', read_execute},
    {"--bg", 0, NULL},
    {"--watch", 0, NULL},
    {"--events", 'f', NULL},
    {"--log", 'l', read_log},
    {"--uuid", 0, read_uuid},
    {"--filter", 0, read_filter},
    {"--count", 0, read_count},
    {"--full", 0, NULL},
    {"--json", 0, NULL},
    {"--color", 0, read_color},
    {"--caller-id", 0, read_caller_id},
    {"--var", 0, read_var},
    {"--cancel-on-signal", 0, NULL},
    {"--complete-names", 0, NULL},
    {"--complete-events", 0, NULL},
    {"--help", 'h', NULL},
};
enum { OPTIONS = sizeof(options) / sizeof(options[0]) };

static const struct option *find(struct str name)
{
    for (size_t i = 0; i < OPTIONS; i++)
        if (str_eqz(name, options[i].name) || (name.len == 2 && name.p[0] == '-' &&
                                               options[i].letter && name.p[1] == options[i].letter))
            return &options[i];
    return NULL;
}

static enum va_err unknown(struct reader *r, struct str name)
{
    return va_fault_set(r->fault, VA_EINVAL, "unknown option %.*s; did you mean %s? (--help)",
                        STR_ARG(name),
                        str_nearest(name, &options[0].name, OPTIONS, sizeof(options[0])));
}

/* `--watch`, `--watch 5`, `--watch=5` */
static enum va_err read_watch(struct reader *r, const char *value)
{
    r->o->watch_ms = 2000;
    if (value)
        return seconds(value, &r->o->watch_ms) ? VA_OK : bad(r, "--watch", "seconds, as 5 or 0.5");
    if (r->at + 1 < r->argc && seconds(r->argv[r->at + 1], &r->o->watch_ms))
        r->at++;
    return VA_OK;
}

static enum va_err add_words(struct reader *r, struct str text)
{
    struct buf *b = &r->o->words;
    if (b->len)
        (void)buf_addc(b, ' ');
    return buf_adds(b, text) ? bad(r, "COMMAND", "is too long") : VA_OK;
}

static enum va_err read_word(struct reader *r)
{
    char *word = r->argv[r->at];
    if (r->words < 3)
        r->word[r->words] = word;
    r->words++;
    return add_words(r, str_of(word));
}

/* `--events=A,B` */
static enum va_err read_names(struct reader *r, const char *value)
{
    r->follow = true;
    r->words++;
    return add_words(r, str_of(value));
}

static enum va_err read_option(struct reader *r)
{
    const char *word = r->argv[r->at];
    const char *sign = word[1] == '-' ? strchr(word, '=') : NULL;
    struct str name = sign ? str_make(word, (size_t)(sign - word)) : str_of(word);
    const struct option *o = find(name);
    if (!o && word[1] != '-' && strlen(word) > 2 && (o = find(str_make(word, 2))) && o->read)
        return o->read(r, word + 2); /* -P8021 */
    if (!o)
        return r->words && word[1] != '-' ? read_word(r) : unknown(r, name);
    const char *value = sign ? sign + 1 : NULL;
    if (str_eqz(str_of(o->name), "--watch"))
        return read_watch(r, value);
    if (str_eqz(str_of(o->name), "--events") && value)
        return read_names(r, value);
    if (!o->read)
        return value ? bad(r, o->name, "takes no value") : read_flag(r, o->name);
    if (!value && r->at + 1 >= r->argc)
        return bad(r, o->name, "what follows is missing");
    return o->read(r, value ? value : r->argv[++r->at]);
}

static enum va_err read_all(struct reader *r)
{
    for (r->at = 0; r->at < r->argc; r->at++) {
        const char *word = r->argv[r->at];
        enum va_err err = VA_OK;
        if (!r->only_words && strcmp(word, "--") == 0)
            r->only_words = true;
        else if (!r->only_words && word[0] == '-' && word[1])
            err = read_option(r);
        else
            err = read_word(r);
        if (err)
            return err;
        if (r->o->mode == ESL_MODE_HELP)
            return VA_OK;
    }
    return VA_OK;
}

/* ---- together ------------------------------------------------------------------------------- */

/* `originate` alone is a word of ours; 'originate user/1 9196' in quotes is FreeSWITCH's. */
static enum va_err choose_originate(struct reader *r)
{
    struct esl_options *o = r->o;
    if (r->words != 3)
        return va_fault_set(r->fault, VA_EINVAL,
                            "originate: write ENDPOINT and EXTEN or APP, as: originate user/1000 "
                            "'&park()'; in quotes it is FreeSWITCH's own command");
    o->mode = ESL_MODE_ORIGINATE;
    o->endpoint = r->word[1];
    o->target = r->word[2];
    return VA_OK;
}

static enum va_err choose(struct reader *r)
{
    struct esl_options *o = r->o;
    if (o->mode != ESL_MODE_RUN)
        return VA_OK;
    bool log = o->log_level >= 0;
    if (r->follow || log) {
        o->mode = ESL_MODE_FOLLOW;
        if (o->commands || o->watch_ms || (!r->follow && r->words))
            return bad(r, r->follow ? "-f" : "-l", "follows for ever and runs no command");
        for (size_t i = 0; i < o->words.len; i++)
            if (o->words.p[i] == ',')
                o->words.p[i] = ' ';
        if (r->follow && !o->words.len)
            return add_words(r, str_of("CHANNEL_CREATE CHANNEL_PROGRESS CHANNEL_PROGRESS_MEDIA "
                                       "CHANNEL_ANSWER CHANNEL_BRIDGE CHANNEL_UNBRIDGE "
                                       "CHANNEL_HOLD CHANNEL_UNHOLD CHANNEL_HANGUP_COMPLETE DTMF"));
        return VA_OK;
    }
    if (r->words && !r->only_words && str_eqz(str_of(r->word[0]), "originate"))
        return choose_originate(r);
    if (o->uuid || o->filters || o->json || o->full)
        return bad(r, "--uuid, --filter, --full, --json", "belong to -f");
    if (o->caller_id || o->vars || o->cancel_on_signal)
        return bad(r, "--caller-id, --var, --cancel-on-signal", "belong to originate");
    if (o->count && !o->watch_ms)
        return bad(r, "--count", "belongs to -f and --watch");
    if (o->watch_ms && !o->words.len && !o->commands)
        return bad(r, "--watch", "a command to repeat is missing");
    return VA_OK;
}

static uint64_t settings_ms(int64_t s)
{
    return s > 0 ? (uint64_t)s * 1000 : 1;
}

enum va_err esl_options_read(const struct settings *s, int argc, char **argv,
                             struct esl_options *ret, struct va_fault *fault)
{
    struct reader r = {.argc = argc, .argv = argv, .o = ret, .fault = fault};
    *ret = (struct esl_options){.host = s->esl_host,
                                .port = (uint16_t)s->esl_port,
                                .user = *s->esl_user ? s->esl_user : NULL,
                                .connect_timeout_ms = settings_ms(s->esl_connect_timeout_s),
                                .read_timeout_ms = settings_ms(s->esl_read_timeout_s),
                                .reconnect_delay_ms = settings_ms(s->esl_reconnect_delay_s),
                                .max_attempts = (unsigned)s->esl_max_reconnect_attempts,
                                .log_level = -1};
    (void)str_copy(ret->password, sizeof(ret->password), str_of(s->esl_password));
    buf_init(&ret->words, WORDS_MAX);
    enum va_err err = read_all(&r);
    return err || ret->mode == ESL_MODE_HELP ? err : choose(&r);
}

void esl_options_free(struct esl_options *o)
{
    explicit_bzero(o->password, sizeof(o->password));
    buf_free(&o->words);
}
