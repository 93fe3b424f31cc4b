/* leg/ws_text and leg/ws_audio: any text of a stream, any event's body, any audio cut anywhere. */
#include "leg/ws_text.h"

#include <stdlib.h>

static void check(int holds)
{
    if (!holds)
        abort();
}

static void feed(const uint8_t *data, size_t size)
{
    struct ws_wire w = {(enum ws_codec)(1 + data[0] % 3), data[1] & 1 ? 8000 : 16000,
                        1 + (data[1] >> 1 & 1)};
    struct ws_audio *a = NULL;
    size_t cut = (size_t)data[2] % size, count = 0;
    if (ws_audio_new(&w, data[1] & 4 ? 16000 : 8000, 20, &a))
        return;
    ws_audio_feed(a, (const char *)data, cut);
    ws_audio_feed(a, (const char *)data + cut, size - cut);
    for (const int16_t *f; (f = ws_audio_next(a, &count));) {
        char wire[WS_AUDIO_WIRE_MAX];
        check(count == 160 || count == 320);
        check(ws_audio_encode(a, f, count, wire) <= sizeof(wire));
    }
    ws_audio_free(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ws_told told;
    char path[64], text[32];
    struct str s = {(const char *)data, size};
    if (ws_text_read(s, &told) == VA_OK)
        check(told.wire.channels <= 2 && told.playback <= WS_PLAY_BINARY);
    if (ws_play_file(s, "1-2", path, sizeof(path)) == VA_OK)
        check(strstr(path, "1-2") && !strpbrk(path, " ${}'\"`!;\n"));
    ws_error_text(s, text, sizeof(text));
    check(strlen(text) < sizeof(text));
    if (size >= 4)
        feed(data, size);
    return 0;
}
