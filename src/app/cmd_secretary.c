#include "app/cmd_secretary.h"
#include "ai/attendant/prompts.h"
#include "ai/provider.h"
#include "app/cmd_secretary_int.h"
#include "store/secretary_admin.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static const char help[] =
    "usage: voice-ai secretary COMMAND [--tenant TENANT]\n"
    "\n"
    "  list              all secretaries, or those of a tenant\n"
    "  show NAME         one in full; NAME is its name, extension or id\n"
    "  import FILE.yaml  add those of a file, or replace them by id or name; - reads stdin.\n"
    "                    All of the file or nothing. --tenant puts them there\n"
    "  export [NAME]     as YAML that import reads; without NAME all\n"
    "  remove NAME       take one away; its calls and messages stay\n"
    "\n"
    "A running voice-ai uses a change with the next call.\n"
    "Exit code: 0 done, 1 not found or nothing there, 2 wrong usage or a fault.\n";

struct run {
    struct store_admin *admin;
    const char *tenant; /* NULL: any */
    const char *what;   /* NULL: not given */
};

struct command {
    const char *name;
    int (*run)(const struct run *r);
    bool needs_what, may_what;
};

static int fail(enum va_err err, const struct va_fault *fault)
{
    (void)fprintf(stderr, "voice-ai: %s\n", fault->text);
    return err == VA_ENOTFOUND ? CMD_NOTHING : CMD_FAULT;
}

static int fail_text(const char *text, const char *about)
{
    (void)fprintf(stderr, "voice-ai: %s%s; see: voice-ai secretary --help\n", text, about);
    return CMD_FAULT;
}

static void on_each(void *arg, const struct secretary *s)
{
    secretary_list_take(arg, secretary_ref(s));
}

static enum va_err load(const struct run *r, struct secretary_list *list, struct va_fault *fault)
{
    const struct secretary *one = NULL;
    enum va_err err = VA_OK;
    if (r->what) {
        err = store_admin_get(r->admin, r->tenant, r->what, &one, fault);
        if (!err)
            secretary_list_take(list, one);
    } else {
        err = store_admin_list(r->admin, r->tenant, on_each, list, fault);
        if (!err && list->count == 0)
            err = va_fault_set(fault, VA_ENOTFOUND,
                               "there is no secretary%s%s; add one with: "
                               "voice-ai secretary import FILE.yaml",
                               r->tenant ? " in tenant " : "", r->tenant ? r->tenant : "");
    }
    return !err && list->failed ? va_fault_set(fault, VA_ENOMEM, "out of memory") : err;
}

static int run_list(const struct run *r)
{
    struct secretary_list list = {NULL, 0, false};
    struct va_fault fault = {0};
    enum va_err err = load(r, &list, &fault);
    if (!err)
        secretary_print_table(&list);
    secretary_list_free(&list);
    return err ? fail(err, &fault) : CMD_OK;
}

static int run_show(const struct run *r)
{
    struct secretary_list list = {NULL, 0, false};
    struct va_fault fault = {0};
    enum va_err err = load(r, &list, &fault);
    if (!err)
        secretary_print(list.s[0]);
    secretary_list_free(&list);
    return err ? fail(err, &fault) : CMD_OK;
}

static int run_export(const struct run *r)
{
    struct secretary_list list = {NULL, 0, false};
    struct va_fault fault = {0};
    struct buf out;
    buf_init(&out, SECRETARY_YAML_MAX * 4);
    enum va_err err = load(r, &list, &fault);
    for (size_t i = 0; !err && i < list.count; i++) {
        buf_reset(&out);
        err = secretary_to_yaml(list.s[i], &out);
        if (err)
            (void)va_fault_set(&fault, err, "secretary \"%s\": cannot be written as YAML: %s",
                               list.s[i]->name, va_err_text(err));
        else
            (void)fwrite(out.p, 1, out.len, stdout);
    }
    buf_free(&out);
    secretary_list_free(&list);
    return err ? fail(err, &fault) : CMD_OK;
}

static int run_remove(const struct run *r)
{
    struct va_fault fault = {0};
    enum va_err err = store_admin_remove(r->admin, r->tenant, r->what, &fault);
    if (err)
        return fail(err, &fault);
    (void)printf("removed %s\n", r->what);
    return CMD_OK;
}

/* ---- import --------------------------------------------------------------------------------- */

static enum va_err read_file(const char *path, struct buf *text, struct va_fault *fault)
{
    bool is_stdin = strcmp(path, "-") == 0;
    FILE *f = is_stdin ? stdin : fopen(path, "re");
    if (!f)
        return va_fault_set(fault, VA_EIO, "%s: %s", path, strerror(errno));
    size_t n = 1;
    while (n && !buf_reserve(text, 4096)) {
        n = fread(text->p + text->len, 1, 4096, f);
        text->len += n;
    }
    int why = ferror(f) ? errno : 0;
    if (!is_stdin)
        (void)fclose(f);
    if (why)
        return va_fault_set(fault, VA_EIO, "%s: %s", path, strerror(why));
    if (buf_failed(text) || text->len > SECRETARY_YAML_MAX)
        return va_fault_set(fault, VA_ELIMIT, "%s: more than %d bytes", path, SECRETARY_YAML_MAX);
    return VA_OK;
}

struct import {
    const struct run *run;
    struct secretary_list list;
    bool twice; /* one file holds one name of two tenants, and --tenant makes them one */
};

static bool is_there(const struct secretary_list *list, const struct secretary *s)
{
    for (size_t i = 0; i < list->count; i++)
        if (str_ieqz(str_of(list->s[i]->tenant), s->tenant) &&
            str_ieqz(str_of(list->s[i]->name), s->name))
            return true;
    return false;
}

static void on_read(void *arg, struct secretary *s)
{
    struct import *import = arg;
    const char *tenant = import->run->tenant;
    if (tenant && strcmp(tenant, s->tenant) != 0) {
        if (secretary_set(&s->tenant, tenant))
            import->list.failed = true;
        rand_uuid(s->id); /* a copy: the id in the file belongs to the other tenant's */
    }
    import->twice = import->twice || is_there(&import->list, s);
    secretary_list_take(&import->list, s);
}

static enum va_err put_all(const struct run *r, const struct secretary_list *list,
                           struct va_fault *fault)
{
    bool *replaced = calloc(list->count, sizeof(*replaced));
    if (!replaced || list->failed) {
        free(replaced);
        return va_fault_set(fault, VA_ENOMEM, "out of memory");
    }
    enum va_err err = store_admin_put(r->admin, list->s, list->count, replaced, fault);
    for (size_t i = 0; !err && i < list->count; i++)
        (void)printf("%s %s in tenant %s\n", replaced[i] ? "replaced" : "added", list->s[i]->name,
                     list->s[i]->tenant);
    free(replaced);
    return err;
}

static enum va_err unknown_provider(const struct secretary *s, const char *file, const char *field,
                                    const char *name, struct va_fault *fault)
{
    return va_fault_set(fault, VA_ECONFIG,
                        "%s: secretary \"%s\": %s: \"%s\" is not in this version (voice-ai "
                        "provider list); leave it out for the default",
                        file, s->name, field, name);
}

/* What only the layers above the store know: prompts and providers by name. */
static enum va_err check_words(const struct secretary *s, const char *file, struct va_fault *fault)
{
    for (size_t i = 0; i < s->prompt_count; i++)
        if (!prompt_key_known(s->prompts[i].key))
            return va_fault_set(fault, VA_ECONFIG,
                                "%s: secretary \"%s\": prompts: unknown key \"%s\"; did you mean "
                                "\"%s\"?",
                                file, s->name, s->prompts[i].key,
                                prompt_key_nearest(s->prompts[i].key));
    if (*s->provider && !provider_find(s->provider))
        return unknown_provider(s, file, "provider", s->provider, fault);
    for (size_t i = 0; i < s->fallbacks.count; i++)
        if (!provider_find(s->fallbacks.item[i]))
            return unknown_provider(s, file, "fallbacks", s->fallbacks.item[i], fault);
    return VA_OK;
}

static int run_import(const struct run *r)
{
    struct import import = {r, {NULL, 0, false}, false};
    struct va_fault fault = {0};
    struct buf text;
    buf_init(&text, SECRETARY_YAML_MAX + 8192);
    const char *name = strcmp(r->what, "-") == 0 ? "stdin" : r->what;
    enum va_err err = read_file(r->what, &text, &fault);
    if (!err)
        err = secretary_from_yaml(name, buf_str(&text), on_read, &import, &fault);
    if (!err && import.twice)
        err = va_fault_set(&fault, VA_EEXIST,
                           "%s: holds one name of several tenants; import it "
                           "without --tenant",
                           name);
    for (size_t i = 0; !err && i < import.list.count; i++)
        err = check_words(import.list.s[i], name, &fault);
    if (!err)
        err = put_all(r, &import.list, &fault);
    buf_free(&text);
    secretary_list_free(&import.list);
    return err ? fail(err, &fault) : CMD_OK;
}

/* ---- command line --------------------------------------------------------------------------- */

static const struct command commands[] = {
    {"list", run_list, false, false},   {"show", run_show, true, true},
    {"import", run_import, true, true}, {"export", run_export, false, true},
    {"remove", run_remove, true, true},
};

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

/* Words in any order. @return -1 to go on, else the exit code */
static int parse(int argc, char **argv, struct run *r, const struct command **ret_command)
{
    const struct command *command = NULL;
    for (int i = 0; i < argc; i++) {
        const char *word = argv[i];
        if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
            (void)fputs(help, stdout);
            return CMD_OK;
        }
        if (strcmp(word, "--tenant") == 0 || strncmp(word, "--tenant=", 9) == 0) {
            r->tenant = word[8] ? word + 9 : i + 1 < argc ? argv[++i] : "";
            if (!r->tenant[0])
                return fail_text("--tenant: which?", "");
        } else if (word[0] == '-' && word[1]) {
            return fail_text("unknown option ", word);
        } else if (!command) {
            command = find_command(word);
            if (!command)
                return fail_text("unknown command: secretary ", word);
        } else if (!r->what && command->may_what) {
            r->what = word;
        } else {
            return fail_text("one word too many: ", word);
        }
    }
    if (!command)
        return fail_text("secretary: what to do?", "");
    if (command->needs_what && !r->what)
        return fail_text("which one? secretary ", command->name);
    *ret_command = command;
    return -1;
}

int cmd_secretary(const struct settings *s, int argc, char **argv)
{
    struct run r = {NULL, NULL, NULL};
    const struct command *command = NULL;
    struct va_fault fault = {0};
    int code = parse(argc, argv, &r, &command);
    if (code >= 0)
        return code;
    enum va_err err = store_admin_open(s->data_dir, &r.admin, &fault);
    if (err) {
        (void)fail(err, &fault);
        return CMD_FAULT;
    }
    code = command->run(&r);
    store_admin_close(&r.admin);
    if (code == CMD_OK && (fflush(stdout) || ferror(stdout)))
        return fail_text("cannot write the output", "");
    return code;
}
