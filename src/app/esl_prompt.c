/*
 * libedit reads its keys through get_key(), which turns our loop until there is one. So the line is
 * edited in ordinary nested calls while the socket is always read:
 *
 *     el_gets ─► get_key ─► loop_turn ─► events, log, reconnects ─► hide line, print, draw it again
 */
#include "app/esl_prompt.h"
#include "app/esl_show.h"

#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wchar.h>

enum { HISTORY_LINES = 1000, ESCAPE_MS = 60, CTRL_C = 3 };

static struct esl_prompt *of(EditLine *el)
{
    void *p = NULL;
    (void)el_get(el, EL_CLIENTDATA, &p);
    return p;
}

/* ---- output while a line is edited ---------------------------------------------------------- */

/* Rows of the screen between the line's first one and the cursor. */
static unsigned rows_above(struct esl_prompt *p)
{
    const LineInfoW *line = el_wline(p->el);
    struct winsize w = {0};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) || !w.ws_col)
        return 0;
    size_t width = p->text_width;
    for (const wchar_t *c = line->buffer; c < line->cursor; c++)
        width += wcwidth(*c) > 0 ? (size_t)wcwidth(*c) : 1;
    return (unsigned)(width / w.ws_col);
}

static void hide(void *arg)
{
    struct esl_prompt *p = arg;
    if (!p->editing || p->hidden)
        return;
    p->hidden = true;
    unsigned rows = rows_above(p);
    if (rows)
        (void)printf("\033[%uA", rows);
    (void)fputs("\r\033[J", stdout);
    (void)fflush(stdout);
}

static void show(void *arg)
{
    struct esl_prompt *p = arg;
    if (!p->hidden || p->app->out.at < p->app->out.waiting.len)
        return;
    p->hidden = false;
    (void)el_set(p->el, EL_REFRESH);
}

/* ---- keys ----------------------------------------------------------------------------------- */

/* A lone Escape would make libedit wait for the rest of a sequence: it gets a NUL in time. */
static void follow_sequence(struct esl_prompt *p, wchar_t c)
{
    if (p->key == KEY_ESCAPE && (c == L'[' || c == L'O'))
        p->key = KEY_SEQUENCE;
    else if (p->key == KEY_SEQUENCE && ((c >= L'0' && c <= L'9') || c == L';'))
        p->key = KEY_SEQUENCE;
    else
        p->key = c == 27 ? KEY_ESCAPE : KEY_PLAIN;
}

/* @return 1 a whole character, 0 the end of input, −1 not yet */
static int read_byte(mbstate_t *state, wchar_t *ret)
{
    char byte = 0;
    ssize_t n = read(STDIN_FILENO, &byte, 1);
    if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN))
        return 0;
    if (n < 0)
        return -1;
    size_t used = mbrtowc(ret, &byte, 1, state);
    if (used == (size_t)-1) {
        *state = (mbstate_t){0};
        return -1;
    }
    return used == (size_t)-2 ? -1 : 1;
}

static int get_key(EditLine *el, wchar_t *ret)
{
    struct esl_prompt *p = of(el);
    mbstate_t state = {0};
    for (;;) {
        bool waited = esl_input_wait(&p->in, p->key == KEY_PLAIN ? 0 : ESCAPE_MS);
        /* Ctrl-C came before the key that is there now, if both are. */
        loop_turn(p->app->loop, false);
        if (p->app->terminated || p->app->out.broken)
            return 0;
        if (p->app->stop) {
            p->app->stop = false;
            *ret = CTRL_C;
            return 1;
        }
        if (!waited) {
            p->key = KEY_PLAIN;
            *ret = 0;
            return 1;
        }
        int n = read_byte(&state, ret);
        if (n >= 0) {
            follow_sequence(p, *ret);
            return n;
        }
    }
}

static unsigned char on_ctrl_c(EditLine *el, int key)
{
    const LineInfoW *line = el_wline(el);
    (void)key;
    (void)el_cursor(el, (int)(line->lastchar - line->cursor));
    line = el_wline(el);
    el_deletestr(el, (int)(line->lastchar - line->buffer));
    (void)fputs("^C\n", stdout);
    (void)el_set(el, EL_REFRESH);
    return CC_NORM;
}

static unsigned char on_ctrl_d(EditLine *el, int key)
{
    const LineInfoW *line = el_wline(el);
    (void)key;
    if (line->lastchar == line->buffer) {
        of(el)->quit = true;
        (void)fputs("\n", stdout);
        return CC_EOF;
    }
    if (line->cursor == line->lastchar)
        return CC_NORM;
    (void)el_cursor(el, 1);
    el_deletestr(el, 1);
    return CC_REFRESH;
}

/* ---- history -------------------------------------------------------------------------------- */

static bool make_folders(char *path)
{
    for (char *c = path + 1; *c; c++) {
        if (*c != '/')
            continue;
        *c = '\0';
        bool made = !mkdir(path, 0700) || errno == EEXIST;
        *c = '/';
        if (!made)
            return false;
    }
    return true;
}

static void open_history(struct esl_prompt *p)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    HistEvent ev;
    int n = -1;
    if (state && *state == '/')
        n = snprintf(p->history_path, sizeof(p->history_path), "%s/voice-ai/esl_history", state);
    else if (home && *home == '/')
        n = snprintf(p->history_path, sizeof(p->history_path),
                     "%s/.local/state/voice-ai/esl_history", home);
    if (n <= 0 || n >= (int)sizeof(p->history_path) || !make_folders(p->history_path))
        p->history_path[0] = '\0';
    p->history = history_init();
    if (!p->history)
        return;
    (void)history(p->history, &ev, H_SETSIZE, HISTORY_LINES);
    (void)history(p->history, &ev, H_SETUNIQUE, 1);
    if (*p->history_path)
        (void)history(p->history, &ev, H_LOAD, p->history_path);
}

static void save_history(struct esl_prompt *p)
{
    HistEvent ev;
    if (!p->history)
        return;
    mode_t before = umask(077);
    if (*p->history_path && history(p->history, &ev, H_SAVE, p->history_path) >= 0)
        (void)chmod(p->history_path, 0600);
    (void)umask(before);
    history_end(p->history);
}

/* ---- birth ---------------------------------------------------------------------------------- */

/* Between two \1 stands what takes no room on the screen. */
static char *prompt_text(EditLine *el)
{
    struct esl_prompt *p = of(el);
    const struct esl_app *a = p->app;
    const char *note = a->ready ? "" : " (not connected)";
    char plain[PROMPT_TEXT];
    (void)snprintf(plain, sizeof(plain), "freeswitch@%.200s%s> ", a->o->host, note);
    p->text_width = strlen(plain);
    if (a->color)
        (void)snprintf(p->text, sizeof(p->text), "\1%s\1freeswitch@%.200s%s>\1%s\1 ",
                       a->ready ? ESL_GREEN : ESL_RED, a->o->host, note, ESL_PLAIN_TEXT);
    else
        (void)str_copy(p->text, sizeof(p->text), str_of(plain));
    return p->text;
}

static bool open_editor(struct esl_prompt *p)
{
    /* Without a locale that knows UTF-8 libedit could not show what is typed. */
    if (!setlocale(LC_CTYPE, "") || MB_CUR_MAX == 1)
        (void)setlocale(LC_CTYPE, "C.UTF-8");
    p->el = el_init("voice-ai", stdin, stdout, stderr);
    if (!p->el)
        return false;
    open_history(p);
    (void)el_set(p->el, EL_CLIENTDATA, p);
    (void)el_set(p->el, EL_EDITOR, "emacs");
    (void)el_set(p->el, EL_SIGNAL, 0);
    (void)el_set(p->el, EL_PROMPT_ESC, prompt_text, '\1');
    if (p->history)
        (void)el_set(p->el, EL_HIST, history, p->history);
    (void)el_set(p->el, EL_GETCFN, get_key);
    (void)el_wset(p->el, EL_ADDFN, L"va-tab", L"complete by FreeSWITCH", esl_prompt_tab);
    (void)el_wset(p->el, EL_ADDFN, L"va-ctrl-c", L"clear the line", on_ctrl_c);
    (void)el_wset(p->el, EL_ADDFN, L"va-ctrl-d", L"leave, or delete", on_ctrl_d);
    (void)el_set(p->el, EL_BIND, "^I", "va-tab", NULL);
    (void)el_set(p->el, EL_BIND, "^C", "va-ctrl-c", NULL);
    (void)el_set(p->el, EL_BIND, "^D", "va-ctrl-d", NULL);
    (void)el_set(p->el, EL_BIND, "^R", "em-inc-search-prev", NULL);
    (void)el_set(p->el, EL_BIND, "\033[3~", "ed-delete-next-char", NULL);
    (void)el_set(p->el, EL_BIND, "\033[1~", "ed-move-to-beg", NULL);
    (void)el_set(p->el, EL_BIND, "\033[4~", "ed-move-to-end", NULL);
    (void)el_set(p->el, EL_BIND, "\033[H", "ed-move-to-beg", NULL);
    (void)el_set(p->el, EL_BIND, "\033[F", "ed-move-to-end", NULL);
    return true;
}

/* The size of the terminal changed. Inside of get_key, as all output. */
static void on_winch(uv_signal_t *handle, int number)
{
    struct esl_prompt *p = handle->data;
    (void)number;
    el_resize(p->el);
}

static void open_winch(struct esl_prompt *p)
{
    if (uv_signal_init(loop_uv(p->app->loop), &p->sig_winch))
        return;
    p->winch_open = true;
    p->sig_winch.data = p;
    (void)uv_signal_start(&p->sig_winch, on_winch, SIGWINCH);
}

static void on_winch_closed(uv_handle_t *handle)
{
    struct esl_prompt *p = handle->data;
    p->winch_open = false;
}

static void close_winch(struct esl_prompt *p)
{
    if (p->winch_open)
        uv_close((uv_handle_t *)&p->sig_winch, on_winch_closed);
    while (p->winch_open)
        loop_turn(p->app->loop, false);
}

/* ---- lines ---------------------------------------------------------------------------------- */

void esl_prompt_run(struct esl_prompt *p, struct str line, bool bg)
{
    struct esl_app *a = p->app;
    struct esl_reply r;
    if (!a->ready) {
        esl_app_say(a, "not connected: %s", a->why);
        return;
    }
    esl_app_ask(a, bg ? ESL_ASK_BGAPI : ESL_ASK_API, line, a->o->timeout_ms, &r);
    if (r.err == VA_ECANCELED && a->stop)
        esl_app_say(a, "no longer waited for; it may still run in FreeSWITCH");
    a->stop = false;
    (void)esl_app_print(a, line, &r);
    buf_free(&r.text);
}

static void greet(struct esl_prompt *p)
{
    struct esl_app *a = p->app;
    struct esl_reply r;
    esl_app_ask(a, ESL_ASK_API, str_of("version short"), 2000, &r);
    struct str text = str_trim(buf_str(&r.text));
    bool known = !r.err && text.len && text.len < 64;
    esl_app_say(a, "FreeSWITCH%s%.*s at %s:%u; Tab completes, /help tells more, Ctrl-D leaves",
                known ? " " : "", known ? (int)text.len : 0, text.len ? text.p : "", a->o->host,
                a->o->port);
    buf_free(&r.text);
}

/* @return false: leave */
static bool read_line(struct esl_prompt *p, struct buf *ret_line)
{
    int len = 0;
    esl_out_now(&p->app->out, str_of("")); /* what waits comes before the prompt */
    p->editing = true;
    const char *line = el_gets(p->el, &len);
    p->editing = p->hidden = false;
    /* What is typed while a command runs is for the next prompt, and not shown twice. */
    (void)el_set(p->el, EL_PREP_TERM, 1);
    buf_reset(ret_line);
    if (!line || len <= 0 || p->quit)
        return false;
    return !buf_adds(ret_line, str_trim(str_make(line, (size_t)len)));
}

static void take(struct esl_prompt *p, struct buf *line)
{
    HistEvent ev;
    if (!line->len)
        return;
    if (p->history)
        (void)history(p->history, &ev, H_ENTER, buf_z(line));
    if (line->p[0] == '/')
        esl_prompt_slash(p, buf_str(line));
    else if (str_eqz(buf_str(line), "..."))
        p->quit = true;
    else
        esl_prompt_run(p, buf_str(line), false);
}

int esl_prompt(struct esl_app *a)
{
    struct esl_prompt p = {.app = a};
    struct buf line;
    a->prompt = true;
    a->out.before = hide;
    a->out.after = show;
    a->out.arg = &p;
    esl_input_open(&p.in, a);
    if (!open_editor(&p)) {
        a->prompt = false;
        esl_input_close(&p.in);
        esl_app_say(a, "cannot use this terminal; give the command as argument");
        return ESL_EXIT_FAIL;
    }
    open_winch(&p);
    (void)el_set(p.el, EL_PREP_TERM, 1);
    greet(&p);
    buf_init(&line, 1 << 20);
    while (!p.quit && !a->terminated && !a->out.broken && read_line(&p, &line))
        take(&p, &line);
    buf_free(&line);
    save_history(&p);
    close_winch(&p);
    el_end(p.el);
    esl_input_close(&p.in);
    for (size_t i = 0; i < p.subscriptions; i++)
        free(p.subscribed[i]);
    a->out.before = a->out.after = NULL;
    return 0;
}
