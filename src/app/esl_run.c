#include "app/esl_app.h"
#include "app/esl_show.h"
#include "base/utf8.h"

#include <stdio.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

/* ---- commands, one after the other ---------------------------------------------------------- */

static int one(struct esl_app *a, struct str line)
{
    struct esl_reply r;
    esl_app_ask(a, a->o->bg ? ESL_ASK_BGAPI : ESL_ASK_API, line, a->o->timeout_ms, &r);
    int code = esl_app_print(a, line, &r);
    buf_free(&r.text);
    return code;
}

/* A "no" does not keep the next command from running; a lost connection or Ctrl-C does. */
static bool go_on(int code, int *worst)
{
    if (code > *worst)
        *worst = code;
    return code < ESL_EXIT_FAIL;
}

static int of_stdin(struct esl_app *a)
{
    struct esl_input in;
    struct str line;
    int worst = 0;
    size_t count = 0;
    esl_input_open(&in, a);
    while (esl_input_line(&in, &line)) {
        line = str_trim(line);
        if (!line.len || line.p[0] == '#')
            continue;
        count++;
        if (!go_on(one(a, line), &worst))
            break;
    }
    esl_input_close(&in);
    if (!count && !a->stop) {
        esl_app_say(a, "no command in the arguments and none on stdin (voice-ai esl --help)");
        return ESL_EXIT_FAIL;
    }
    return a->stop ? ESL_EXIT_SIGNAL : worst;
}

int esl_run(struct esl_app *a)
{
    const struct esl_options *o = a->o;
    int worst = 0;
    if (!o->words.len && !o->commands)
        return of_stdin(a);
    if (o->words.len && !go_on(one(a, buf_str(&o->words)), &worst))
        return worst;
    for (size_t i = 0; i < o->commands; i++)
        if (!go_on(one(a, str_of(o->command[i])), &worst))
            break;
    return worst;
}

/* ---- watch ---------------------------------------------------------------------------------- */

enum { SCREEN_MAX = 4 << 20 };

static struct winsize screen_size(void)
{
    struct winsize w = {0};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) || !w.ws_row || !w.ws_col)
        w = (struct winsize){.ws_row = 24, .ws_col = 80};
    return w;
}

/* The part of a line that fits, by characters; terminals show wide ones in two columns, then the
 * rest of the line is cut off by the terminal as wrapping is switched off meanwhile. */
static struct str fitting(struct str line, size_t columns)
{
    struct str rest = line;
    for (size_t i = 0; rest.len && i < columns; i++) {
        size_t n = utf8_char(rest);
        n = n ? n : 1;
        rest = str_make(rest.p + n, rest.len - n);
    }
    return str_make(line.p, line.len - rest.len);
}

static void add_title(struct esl_app *a, struct buf *out, const char *state)
{
    struct tm tm = {0};
    time_t now = (time_t)(clock_wall_us(loop_clock(a->loop)) / 1000000);
    (void)localtime_r(&now, &tm);
    (void)buf_addz(out, a->color ? ESL_BOLD : "");
    (void)buf_addf(out, "%02d:%02d:%02d  every %.3g s: ", tm.tm_hour, tm.tm_min, tm.tm_sec,
                   (double)a->o->watch_ms / 1000);
    esl_show_safe(out, a->o->words.len ? buf_str(&a->o->words) : str_of(a->o->command[0]), false);
    if (*state)
        (void)buf_addf(out, "  (%s)", state);
    (void)buf_addz(out, a->color ? ESL_PLAIN_TEXT : "");
}

static void add_rows(struct esl_app *a, struct buf *out, struct str now, struct str before)
{
    struct winsize w = screen_size();
    bool first = !before.p;
    for (unsigned row = 2; now.len && row < w.ws_row; row++) {
        struct str line = str_cut(&now, '\n'), old = str_cut(&before, '\n');
        bool changed = !first && !str_eq(line, old);
        (void)buf_addz(out, changed ? (a->color ? "\r\n" ESL_MARK : "\r\n* ") : "\r\n");
        esl_show_safe(out, fitting(line, changed && !a->color ? w.ws_col - 2u : w.ws_col), false);
        (void)buf_addz(out, changed && a->color ? ESL_PLAIN_TEXT "\033[K" : "\033[K");
    }
}

/* Drawn over the old picture in one write: no flicker. */
static void draw(struct esl_app *a, struct str now, struct str before, const char *state)
{
    struct buf out;
    buf_init(&out, SCREEN_MAX);
    if (a->terminal) {
        (void)buf_addz(&out, "\033[?7l\033[H");
        add_title(a, &out, state);
        (void)buf_addz(&out, "\033[K");
        add_rows(a, &out, now, before);
        (void)buf_addz(&out, "\033[J\033[?7h");
    } else {
        add_title(a, &out, state);
        (void)buf_addc(&out, '\n');
        (void)buf_adds(&out, now);
        if (now.len && now.p[now.len - 1] != '\n')
            (void)buf_addc(&out, '\n');
    }
    esl_out_add(&a->out, buf_str(&out));
    buf_free(&out);
}

int esl_watch(struct esl_app *a)
{
    const struct esl_options *o = a->o;
    struct str line = o->words.len ? buf_str(&o->words) : str_of(o->command[0]);
    struct esl_reply last = {0};
    bool never = false;
    int code = 0;
    if (a->terminal)
        esl_out_add(&a->out, str_of("\033[2J"));
    for (uint64_t runs = 0; !a->stop && !a->out.broken && !a->gave_up; runs++) {
        struct esl_reply now = {0};
        if (o->count && runs == o->count)
            break;
        if (runs)
            (void)esl_app_wait(a, &never, o->watch_ms);
        if (a->stop)
            break;
        esl_app_ask(a, o->bg ? ESL_ASK_BGAPI : ESL_ASK_API, line, o->timeout_ms, &now);
        bool answered = now.done && (now.err == VA_OK || now.text.len);
        code = now.err == VA_EREFUSED || now.err == VA_ENOTFOUND ? ESL_EXIT_NO : 0;
        if (a->stop)
            break;
        draw(a, answered ? buf_str(&now.text) : buf_str(&last.text), buf_str(&last.text),
             answered   ? ""
             : a->ready ? va_err_text(now.err)
                        : "not connected");
        if (answered) {
            buf_free(&last.text);
            last = now;
        } else {
            buf_free(&now.text);
        }
    }
    buf_free(&last.text);
    if (a->terminal)
        esl_out_add(&a->out, str_of("\r\n"));
    if (a->gave_up)
        return ESL_EXIT_FAIL;
    return code;
}
