/* mod_audio_stream as the session sees it: its command, its events, and playback of its files. */
#include "fakefs/session_int.h"

static int rate_of(struct str s)
{
    uint64_t n = 0;
    if (str_eqz(s, "8k"))
        return 8000;
    if (str_eqz(s, "16k"))
        return 16000;
    return str_to_u64(s, &n) || n > 48000 ? 0 : (int)n;
}

static bool start(struct fakefs_session *s, struct str args)
{
    char url[512], metadata[1024];
    struct fakefs_stream_ask ask = {.url = url, .metadata = metadata};
    bool fits = str_copy(url, sizeof(url), str_cut(&args, ' '));
    struct str mix = str_cut(&args, ' ');
    ask.rate_hz = rate_of(str_cut(&args, ' '));
    fits = fits && str_copy(metadata, sizeof(metadata), args);
    /* One ear is all that is played here. */
    return fits && ask.rate_hz && str_eqz(mix, "mono") && s->ops->stream_start(s->arg, &ask);
}

void session_audio_stream(struct fakefs_session *s, struct str args, struct buf *out)
{
    struct str uuid = str_cut(&args, ' '), what = str_cut(&args, ' ');
    bool done = false;
    if (str_ieqz(uuid, s->ch.uuid) && s->state != FAKEFS_HUNGUP && s->ops->stream_start) {
        if (str_ieqz(what, "start"))
            done = start(s, args);
        else if (str_ieqz(what, "stop"))
            done = s->ops->stream_stop(s->arg);
    }
    buf_addz(out, done ? "+OK Success\n" : "-ERR Operation Failed\n");
}

void fakefs_session_custom(struct fakefs_session *s, const char *subclass, const char *body)
{
    struct fakefs_event *ev = fakefs_channel_event(&s->ch, "CUSTOM");
    if (!ev)
        return;
    fakefs_event_add(ev, "Event-Subclass", subclass);
    buf_addz(&ev->body, body);
    session_emit(s, ev);
}

/* In the frame where one ends the next begins, if there is one. */
void fakefs_session_played(struct fakefs_session *s)
{
    for (size_t i = s->depth; i-- > 0;) {
        if (!s->stack[i]->plays)
            continue;
        s->stack[i]->end_us = session_now(s);
        session_apps_due(s);
        return;
    }
}
