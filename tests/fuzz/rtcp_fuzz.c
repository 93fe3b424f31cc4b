/* RTCP compounds: whatever passes the check is walked to its end inside its bytes, and reports of
 * it can be written and read back. Corpus: tests/corpus/rtcp. */
#include "media/rtcp.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
    if (!ok)
        abort();
}

static void read_back(const struct rtcp_item *i)
{
    char text[RTCP_TEXT_MAX + 1] = "x";
    if (i->text_len && !memchr(i->text, 0, i->text_len)) {
        memcpy(text, i->text, i->text_len);
        text[i->text_len] = 0;
    }
    struct rtcp_report r = {.ssrc = i->ssrc,
                            .sender = i->type == RTCP_SR,
                            .ntp = i->ntp,
                            .rtp_timestamp = i->rtp_timestamp,
                            .packets = i->packets,
                            .octets = i->octets,
                            .block_count = i->block_count,
                            .blocks = i->blocks,
                            .cname = text,
                            .bye = i->type == RTCP_BYE,
                            .reason = text};
    uint8_t out[RTCP_PACKET_MAX];
    size_t len = 0, at = 0;
    struct rtcp_item back;
    require(rtcp_write(&r, out, sizeof(out), &len) == VA_OK);
    require(rtcp_check(out, len) == VA_OK && rtcp_next(out, len, &at, &back));
    require(back.ssrc == r.ssrc && back.block_count == r.block_count && back.ntp == r.ntp);
    require(!memcmp(back.blocks, i->blocks, i->block_count * sizeof(i->blocks[0])));
    require(rtcp_next(out, len, &at, &back) && back.type == RTCP_SDES);
    require(back.text_len == strlen(text) && !memcmp(back.text, text, back.text_len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bool good = rtcp_check(data, size) == VA_OK;
    struct rtcp_item i;
    size_t at = 0, before = 0;
    while (size <= RTCP_PACKET_MAX && rtcp_next(data, size, &at, &i)) {
        require(at > before && at <= size && i.block_count <= RTCP_BLOCKS_MAX);
        before = at;
        if (i.text)
            require(i.text >= data && i.text + i.text_len <= data + at);
        if (good)
            read_back(&i);
        uint64_t us = 0;
        for (unsigned b = 0; b < i.block_count; b++)
            if (rtcp_round_trip_us(&i.blocks[b], i.ntp, &us))
                require(us <= (uint64_t)32768 * 1000000u);
    }
    return 0;
}
