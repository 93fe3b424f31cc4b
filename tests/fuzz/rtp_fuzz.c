/* What a network may send into the receive half: a list of datagrams, each with a length (two
 * bytes), a time that passes (one byte, ms) and its bytes. RTP is read, placed, buffered, decoded
 * and heard; whatever reads must write and read back the same. Corpus: tests/corpus/rtp. */
#include "media/jitter.h"
#include "media/telephone_event.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
    if (!ok)
        abort();
}

struct heard {
    unsigned starts, ends;
};

static void on_start(void *arg, uint8_t event, char digit)
{
    struct heard *h = arg;
    require(h->starts++ == h->ends && (digit != 0) == (event < 16));
}

static void on_end(void *arg, uint8_t event, char digit, uint32_t ms)
{
    struct heard *h = arg;
    (void)event;
    (void)digit;
    (void)ms;
    require(++h->ends == h->starts);
}

static const struct telephone_event_handlers handlers = {on_start, on_end};

struct half {
    struct rtp_source source;
    struct jitter *j;
    struct telephone_event_rx events;
    struct heard heard;
    uint64_t now_us, tick_us;
};

static void read_back(const struct rtp_packet *k)
{
    uint8_t out[RTP_PACKET_MAX];
    size_t len = 0, at = 0;
    struct rtp_packet back;
    struct rtp_ext e;
    require(rtp_write(k, out, sizeof(out), &len) == VA_OK);
    require(rtp_read(out, len, &back) == VA_OK);
    require(back.marker == k->marker && back.payload_type == k->payload_type &&
            back.seq == k->seq && back.timestamp == k->timestamp && back.ssrc == k->ssrc &&
            back.payload_len == k->payload_len && back.ext_len == k->ext_len);
    if (k->payload_len)
        require(!memcmp(back.payload, k->payload, k->payload_len));
    while (rtp_ext_next(k, &at, &e))
        require(e.data + e.len <= k->ext + k->ext_len);
}

static void take(struct half *h, const struct rtp_packet *k)
{
    struct rtp_place place;
    bool event = k->payload_type >= 96;
    enum rtp_verdict v = rtp_source_take(&h->source, k, h->now_us, !event, &place);
    require(rtp_source_jitter_us(&h->source) < UINT64_MAX / 2);
    if (v != RTP_TAKE && v != RTP_TAKE_ANEW)
        return;
    require(place.seq >= 0 && place.timestamp >= 0);
    if (event)
        telephone_event_rx_push(&h->events, k, &place, h->now_us);
    struct jitter_packet p = {event                   ? JITTER_EVENT
                              : k->payload_type == 13 ? JITTER_NOISE
                                                      : JITTER_AUDIO,
                              k->payload_type & 1 ? &jitter_pcma : &jitter_pcmu,
                              place,
                              k->marker,
                              k->payload,
                              k->payload_len,
                              h->now_us};
    enum va_err err = jitter_put(h->j, &p);
    require(err == VA_OK || err == VA_EPROTO);
}

static void listen_until_now(struct half *h)
{
    int16_t out[160];
    for (; h->tick_us <= h->now_us; h->tick_us += 20000) {
        (void)jitter_get(h->j, h->tick_us, out);
        telephone_event_rx_poll(&h->events, h->tick_us);
    }
    struct jitter_stats s;
    jitter_stats(h->j, &s);
    require(s.queued <= JITTER_PACKETS_MAX);
    require(s.concealed_samples + s.silence_samples <= s.samples + 8 * JITTER_PACKET_MS_MAX + 160);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct half h = {.now_us = 1000000, .tick_us = 1000000};
    struct jitter_cfg cfg = {{8000, 20}, 20, 60, 200};
    if (jitter_new(&cfg, &h.j))
        return 0;
    rtp_source_init(&h.source, 8000, 1);
    telephone_event_rx_init(&h.events, 8000, &handlers, &h.heard);
    while (size >= 3) {
        size_t len = (size_t)(data[0] << 8 | data[1]);
        h.now_us += data[2] * 1000u;
        data += 3;
        size -= 3;
        if (len > size)
            len = size;
        struct rtp_packet k;
        (void)rtp_classify(data, len);
        if (rtp_read(data, len, &k) == VA_OK) {
            read_back(&k);
            take(&h, &k);
        }
        listen_until_now(&h);
        data += len;
        size -= len;
    }
    jitter_free(&h.j);
    return 0;
}
