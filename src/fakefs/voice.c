#include "fakefs/voice.h"
#include "base/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WAV_MAX = 64 << 20 };

extern char **environ;

/* Text in through a memory file (no pipe to break), audio out through a pipe. */
static int spawn(const struct voice_cfg *cfg, const char *voice, int text_fd, int out_fd,
                 pid_t *ret_pid)
{
    char *argv[] = {(char *)cfg->command, "--stdout", "--stdin", "-v", (char *)voice, NULL};
    posix_spawn_file_actions_t actions;
    int err = posix_spawn_file_actions_init(&actions);
    if (err)
        return err;
    err = posix_spawn_file_actions_adddup2(&actions, text_fd, 0);
    if (!err)
        err = posix_spawn_file_actions_adddup2(&actions, out_fd, 1);
    if (!err)
        err = posix_spawnp(ret_pid, cfg->command, &actions, NULL, argv, environ);
    (void)posix_spawn_file_actions_destroy(&actions);
    return err;
}

static bool read_all(int fd, struct buf *out)
{
    char block[16384];
    for (;;) {
        ssize_t n = read(fd, block, sizeof(block));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n == 0;
        if (buf_add(out, block, (size_t)n))
            return false;
    }
}

static int run(const struct voice_cfg *cfg, const char *voice, const char *text, struct buf *out,
               int *ret_status)
{
    int text_fd = memfd_create("say", MFD_CLOEXEC), ends[2] = {-1, -1}, err = 0;
    size_t len = strlen(text);
    pid_t pid = 0;
    if (text_fd < 0 || pipe2(ends, O_CLOEXEC) || write(text_fd, text, len) != (ssize_t)len ||
        lseek(text_fd, 0, SEEK_SET) < 0)
        err = errno;
    if (!err)
        err = spawn(cfg, voice, text_fd, ends[1], &pid);
    if (text_fd >= 0)
        (void)close(text_fd);
    if (ends[1] >= 0)
        (void)close(ends[1]);
    if (!err && !read_all(ends[0], out))
        err = EIO;
    if (ends[0] >= 0)
        (void)close(ends[0]);
    while (pid && waitpid(pid, ret_status, 0) < 0 && errno == EINTR)
        ;
    return err;
}

enum va_err voice_say(const struct voice_cfg *cfg, const char *voice, const char *text,
                      struct pcm **ret_pcm, struct va_fault *fault)
{
    struct buf wav;
    int status = 0;
    buf_init(&wav, WAV_MAX);
    voice = voice ? voice : cfg->voice;
    int failed = run(cfg, voice, text, &wav, &status);
    enum va_err err = VA_OK;
    if (failed)
        err = va_fault_set(fault, VA_ENOTFOUND,
                           "cannot run %s (%s); install espeak-ng or set TTS_COMMAND, or use --wav",
                           cfg->command, strerror(failed));
    else if (status || !wav.len)
        err = va_fault_set(fault, VA_EINVAL, "%s has no voice \"%s\"; list them: %s --voices",
                           cfg->command, voice, cfg->command);
    else
        err =
            wav_decode(wav.p, wav.len, &(struct wav_want){.rate_hz = cfg->rate_hz}, ret_pcm, fault);
    buf_free(&wav);
    return err;
}

enum va_err voice_load_script(const struct voice_cfg *cfg, struct script *s, struct va_fault *fault)
{
    struct wav_want want = {.rate_hz = cfg->rate_hz};
    for (size_t i = 0; i < s->count; i++) {
        struct step *st = &s->step[i];
        bool file = st->kind == STEP_WAV || (st->kind == STEP_BARGE_IN && st->count);
        bool speak = st->kind == STEP_SAY || (st->kind == STEP_BARGE_IN && !st->count);
        enum va_err err = file    ? wav_load(st->text, &want, &st->pcm, fault)
                          : speak ? voice_say(cfg, st->voice, st->text, &st->pcm, fault)
                                  : VA_OK;
        if (err)
            return err;
        if (st->pcm)
            fakefs_clip_of(st->pcm, &st->clip);
    }
    return VA_OK;
}
