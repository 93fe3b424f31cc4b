/* fakefs/call_int.h: shared by call.c, call_media.c, call_line.c and call_stream.c
 * only. */
#ifndef VA_FAKEFS_CALL_INT_H
#define VA_FAKEFS_CALL_INT_H

#include "fakefs/call.h"
#include "fakefs/sock.h"
#include "media/format.h"
#include "net/tcp.h"

enum { KEYS_MAX = 64, KEY_GAP_MS = 300, KEY_MS = 250, HEARD_MAX = 16 * MEDIA_FRAME_MAX };

struct fakefs_call {
    struct loop *loop;
    struct fakefs_call_cfg cfg;
    const struct fakefs_call_handlers *h;
    void *arg;
    struct fakefs_session *session; /* NULL: a phone */
    struct tcp_conn *tcp;
    struct fakefs_bindable bindable;
    struct fakefs_line *line;     /* a phone's, or of the bridge that runs; NULL: none */
    struct fakefs_stream *stream; /* NULL: none */
    struct pcm *file;             /* of the stream, what playback plays; NULL: none */
    size_t file_at;
    struct tmr turn, end, refer;
    enum va_err why;
    bool opened, ending;
    char why_text[128];
    char refer_to[FAKEFS_NAME_MAX];

    struct fakefs_sock *udp;
    struct net_addr remote;
    struct media_tick tick;
    size_t frame; /* samples */
    bool audio_failed;
    struct fakefs_call_stats stats; /* without those of the line */
    struct fakefs_meter meter;
    struct fakefs_gate gate;

    struct fakefs_clip clip;
    size_t at; /* next sample of the clip */
    bool playing, forever;
    uint32_t pause_ms;
    size_t pause_left; /* samples */

    char keys[KEYS_MAX];
    size_t key_count;
    uint64_t key_due_us;
    uint32_t noise; /* state of the comfort noise */
    int16_t *heard; /* agent's audio on its way into the recording; only when recording */
    size_t heard_count;
};

bool call_media_open(struct fakefs_call *c);
void call_media_close(struct fakefs_call *c);
void call_unicast_start(struct fakefs_call *c, const struct fakefs_unicast *where);
void call_unicast_stop(struct fakefs_call *c);
void call_hear(struct fakefs_call *c, uint64_t at_us, const int16_t *pcm, size_t n);
void call_rearm(struct fakefs_call *c);
void call_over(struct fakefs_call *c, enum va_err why);
/* The control connection is there. */
void call_bound(struct fakefs_call *c, struct tcp_conn *tcp);
unsigned call_rate_hz(const struct fakefs_call *c);

/* call_stream.c */
void call_stream_close(struct fakefs_call *c);
void call_stream_tick(struct fakefs_call *c, uint64_t now_us); /* a frame of what is played */
VA_CHECK enum va_err call_bindable(struct fakefs_call *c);     /* begin the stream, wait */
bool call_stream_start(void *arg, const struct fakefs_stream_ask *ask);
bool call_stream_stop(void *arg);
bool call_play(void *arg, const char *path);
void call_play_stop(void *arg);

/* call_line.c */
bool call_dial(struct fakefs_call *c, const char *dial_string);
VA_CHECK enum va_err call_phone(struct fakefs_call *c, struct va_fault *fault);
/* Gone, its figures kept. */
void call_drop_line(struct fakefs_call *c);

#endif
