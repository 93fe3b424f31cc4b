#include "ai/speech/tts_idle.h"

#include <stdlib.h>

/* A calm telephone voice whose peaks stay around -4 dBFS. */
static const char words_per_minute[] = "160", amplitude[] = "80";

struct waiting {
    struct helper *helper; /* NULL: free */
    char voice[64];
    uint64_t used;
};

struct tts_idle {
    struct helper_group *group;
    const char *command;
    struct waiting waiting[TTS_IDLE_MAX];
    uint64_t clock;
};

enum va_err tts_idle_new(struct helper_group *group, const char *command,
                         struct tts_idle **ret_idle)
{
    struct tts_idle *idle = calloc(1, sizeof(*idle));
    if (!idle)
        return VA_ENOMEM;
    idle->group = group;
    idle->command = command;
    *ret_idle = idle;
    return VA_OK;
}

void tts_idle_free(struct tts_idle **idle)
{
    if (!idle || !*idle)
        return;
    for (size_t i = 0; i < TTS_IDLE_MAX; i++)
        helper_kill(&(*idle)->waiting[i].helper);
    free(*idle);
    *idle = NULL;
}

/* No text among the arguments: it comes by stdin, where nothing can be taken for an option. */
static enum va_err start(struct tts_idle *idle, const char *voice, helper_done_h *on_done,
                         void *arg, struct helper **ret_helper)
{
    const char *argv[] = {idle->command, "--stdout", "--stdin",        "-b", "1",       "-v",
                          voice,         "-s",       words_per_minute, "-a", amplitude, NULL};
    return helper_start(idle->group, argv, on_done, arg, ret_helper, NULL);
}

/* It died while it waited; the next text starts a new one. */
static void on_gone(void *arg, enum va_err err, const struct buf *out, const struct va_fault *fault)
{
    struct waiting *w = arg;
    (void)err;
    (void)out;
    (void)fault;
    w->helper = NULL;
}

static struct waiting *find(struct tts_idle *idle, const char *voice)
{
    for (size_t i = 0; i < TTS_IDLE_MAX; i++) {
        if (idle->waiting[i].helper && strcmp(idle->waiting[i].voice, voice) == 0)
            return &idle->waiting[i];
    }
    return NULL;
}

enum va_err tts_idle_start(struct tts_idle *idle, const char *voice, helper_done_h *on_done,
                           void *arg, struct helper **ret_helper)
{
    struct waiting *w = find(idle, voice);
    if (!w)
        return start(idle, voice, on_done, arg, ret_helper);
    helper_on_done(w->helper, on_done, arg);
    *ret_helper = w->helper;
    w->helper = NULL;
    return VA_OK;
}

void tts_idle_warm(struct tts_idle *idle, const char *voice)
{
    struct waiting *slot = find(idle, voice);
    if (slot) {
        slot->used = ++idle->clock;
        return;
    }
    slot = &idle->waiting[0];
    for (size_t i = 0; i < TTS_IDLE_MAX && slot->helper; i++) {
        struct waiting *w = &idle->waiting[i];
        if (!w->helper || w->used < slot->used)
            slot = w;
    }
    helper_kill(&slot->helper);
    (void)str_copy(slot->voice, sizeof(slot->voice), str_of(voice));
    slot->used = ++idle->clock;
    if (start(idle, voice, on_gone, slot, &slot->helper))
        slot->helper = NULL;
}
