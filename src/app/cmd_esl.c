#include "app/app.h"
#include "app/esl_candidates.h"
#include "app/esl_show.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { NAMES_MS = 1000 };

/* ---- names for shell completion ------------------------------------------------------------- */

/* A shell waits for us with every Tab: at most a second in all, silent, and no tidying up, as that
 * could wait for a name server. The words of the arguments are what is typed so far. */
int esl_complete_names(struct esl_app *a)
{
    struct esl_candidates *c = calloc(1, sizeof(*c));
    struct esl_reply r = {0};
    struct str text;
    size_t len = 0;
    if (c && esl_app_wait(a, &a->ready, NAMES_MS / 2))
        esl_candidates_ask(a, buf_str(&a->o->words), NAMES_MS / 2, &r);
    if (c && r.done && !r.err)
        esl_candidates_read(c, buf_str(&r.text), &len, &text);
    for (size_t i = 0; c && i < c->count; i++)
        (void)puts(c->word[i]);
    (void)fflush(stdout);
    _exit(0);
}

static int event_names(void)
{
    for (const char *const *name = esl_event_names; *name; name++)
        (void)puts(*name);
    return 0;
}

/* ---- the command ---------------------------------------------------------------------------- */

static bool wants_prompt(const struct esl_app *a)
{
    const struct esl_options *o = a->o;
    return o->mode == ESL_MODE_RUN && !o->words.len && !o->commands && a->terminal &&
           isatty(STDIN_FILENO);
}

static int run(struct esl_app *a)
{
    const struct esl_options *o = a->o;
    if (o->mode == ESL_MODE_FOLLOW)
        return esl_follow(a);
    if (o->mode == ESL_MODE_ORIGINATE)
        return esl_originate_run(a);
    if (wants_prompt(a))
        return esl_prompt(a);
    return o->watch_ms ? esl_watch(a) : esl_run(a);
}

/* What lasts is connected again; a command alone is not tried twice. */
static bool lasts(const struct esl_options *o)
{
    return o->mode == ESL_MODE_FOLLOW || o->watch_ms ||
           (o->mode == ESL_MODE_RUN && !o->words.len && !o->commands && isatty(STDIN_FILENO));
}

static int connected(const struct esl_options *o)
{
    struct esl_app *a = calloc(1, sizeof(*a));
    if (!a)
        return app_fail("esl: out of memory");
    int code = esl_app_open(a, o, lasts(o));
    if (!code && o->mode == ESL_MODE_NAMES)
        code = esl_complete_names(a);
    if (!code)
        code = esl_app_connect(a);
    if (!code)
        code = run(a);
    esl_app_close(a);
    free(a);
    return code;
}

static int refuse(const char *text)
{
    (void)fprintf(stderr, "voice-ai esl: %s\n", text);
    return ESL_EXIT_FAIL;
}

int cmd_esl(const struct settings *s, int argc, char **argv)
{
    struct esl_options *o = calloc(1, sizeof(*o));
    struct va_fault fault;
    int code = 0;
    if (!o)
        return app_fail("esl: out of memory");
    if (esl_options_read(s, argc, argv, o, &fault))
        code = refuse(fault.text);
    else if (o->mode == ESL_MODE_HELP)
        (void)fputs(esl_options_help, stdout);
    else if (o->mode == ESL_MODE_EVENTS)
        code = event_names();
    else
        code = connected(o);
    esl_options_free(o);
    free(o);
    return code;
}
