#include "esl/stream.h"
#include "esl/escape.h"
#include "esl/line.h"

enum va_err esl_uuid_record(struct esl_switch *sw, const char *uuid, enum esl_record what,
                            struct str path, unsigned limit_s, const struct esl_then *then)
{
    static const char *const words[] = {"start", "stop", "mask", "unmask", "pause", "resume"};
    if ((unsigned)what >= sizeof(words) / sizeof(words[0]) || (limit_s && what != ESL_RECORD_START))
        return VA_EINVAL;
    struct esl_line l;
    esl_line_begin(&l, "uuid_record");
    esl_line_uuid(&l, uuid);
    esl_line_text(&l, words[what]);
    esl_line_arg(&l, path);
    if (limit_s)
        esl_line_number(&l, limit_s);
    return esl_line_api(&l, sw, then);
}

enum va_err esl_uuid_displace(struct esl_switch *sw, const char *uuid, bool start, struct str path,
                              unsigned limit_s, bool mix, const struct esl_then *then)
{
    struct esl_line l;
    esl_line_begin(&l, "uuid_displace");
    esl_line_uuid(&l, uuid);
    esl_line_text(&l, start ? "start" : "stop");
    esl_line_arg(&l, path);
    if (start && (limit_s || mix))
        esl_line_number(&l, limit_s);
    if (start && mix)
        esl_line_text(&l, "mux");
    return esl_line_api(&l, sw, then);
}

static void begin_stream(struct esl_line *l, const char *uuid, const char *what)
{
    esl_line_begin(l, "uuid_audio_stream");
    esl_line_uuid(l, uuid);
    esl_line_text(l, what);
}

static bool url_ok(const char *url)
{
    struct str s = str_of(url);
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.p[i] <= ' ' || s.p[i] == 0x7F)
            return false;
    return s.len <= ESL_STREAM_URL_MAX && (str_starts(s, "ws://") || str_starts(s, "wss://"));
}

enum va_err esl_uuid_audio_stream_start(struct esl_switch *sw, const char *uuid,
                                        const struct esl_audio_stream *stream,
                                        const struct esl_then *then)
{
    static const char *const mixes[] = {"mono", "mixed", "stereo"};
    unsigned rate = stream && stream->rate_hz ? stream->rate_hz : 8000;
    if (!stream || !url_ok(stream->url) || (unsigned)stream->mix > ESL_MIX_STEREO || rate % 8000 ||
        rate > 48000)
        return VA_EINVAL;
    struct esl_line l;
    begin_stream(&l, uuid, "start");
    esl_line_arg(&l, str_of(stream->url));
    esl_line_text(&l, mixes[stream->mix]);
    esl_line_number(&l, rate);
    if (stream->metadata.len)
        esl_line_arg(&l, stream->metadata);
    return esl_line_api(&l, sw, then);
}

enum va_err esl_uuid_audio_stream_stop(struct esl_switch *sw, const char *uuid, struct str text,
                                       const struct esl_then *then)
{
    struct esl_line l;
    begin_stream(&l, uuid, "stop");
    if (text.len)
        esl_line_arg(&l, text);
    return esl_line_api(&l, sw, then);
}

enum va_err esl_uuid_audio_stream_pause(struct esl_switch *sw, const char *uuid,
                                        const struct esl_then *then)
{
    struct esl_line l;
    begin_stream(&l, uuid, "pause");
    return esl_line_api(&l, sw, then);
}

enum va_err esl_uuid_audio_stream_resume(struct esl_switch *sw, const char *uuid,
                                         const struct esl_then *then)
{
    struct esl_line l;
    begin_stream(&l, uuid, "resume");
    return esl_line_api(&l, sw, then);
}

enum va_err esl_uuid_audio_stream_send_text(struct esl_switch *sw, const char *uuid,
                                            struct str text, const struct esl_then *then)
{
    struct esl_line l;
    begin_stream(&l, uuid, "send_text");
    esl_line_arg(&l, text);
    return esl_line_api(&l, sw, then);
}
