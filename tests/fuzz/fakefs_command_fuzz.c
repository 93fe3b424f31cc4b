/* fakefs/command: any bytes, in two reads cut anywhere, through the parser and a whole session. */
#include "fakefs/session.h"

static void on_write(void *arg, const void *p, size_t len)
{
    (void)arg, (void)p, (void)len;
}

static void on_event(void *arg)
{
    (void)arg;
}

static void on_unicast(void *arg, const struct fakefs_unicast *where)
{
    (void)arg, (void)where;
}

static void on_note(void *arg, enum fakefs_note note, const char *text)
{
    (void)arg, (void)note, (void)text;
}

static const struct fakefs_session_ops ops = {.write = on_write,
                                              .close = on_event,
                                              .unicast_start = on_unicast,
                                              .unicast_stop = on_event,
                                              .note = on_note};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct va_clock_manual clock;
    struct fakefs_session *s = NULL;
    size_t cut = size ? data[0] % (size + 1) : 0;
    va_clock_manual_init(&clock, 1000000, 1795349067000000);
    struct fakefs_session_cfg cfg = {.clock = &clock.base, .fixed_phase = true};
    if (fakefs_session_new(&cfg, &ops, NULL, &s))
        return 0;
    fakefs_session_input(s, data, cut);
    fakefs_session_input(s, data + cut, size - cut);
    for (int i = 0; i < 50 && fakefs_session_due_us(s) != UINT64_MAX; i++) {
        va_clock_manual_advance(&clock, 50000);
        fakefs_session_turn(s);
    }
    fakefs_session_hangup(s, "NORMAL_CLEARING");
    fakefs_session_free(&s);
    return 0;
}
