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

enum va_err esl_uuid_fileman(struct esl_switch *sw, const char *uuid, enum esl_file_act act,
                             int value, const struct esl_then *then)
{
    static const struct {
        const char *word;
        bool signed_value; /* a sign makes it a step; without one it is absolute */
        bool has_value;
    } acts[] = {{"pause", false, false}, {"stop", false, false}, {"restart", false, false},
                {"seek", false, true},   {"seek", true, true},   {"speed", true, true},
                {"volume", true, true}};
    enum { VALUE_MAX = 86400000 };
    if ((unsigned)act >= sizeof(acts) / sizeof(acts[0]) || value > VALUE_MAX ||
        value < -VALUE_MAX || (value && !acts[act].has_value) ||
        (value < 0 && !acts[act].signed_value) || (act == ESL_FILE_SKIP && !value))
        return VA_EINVAL;
    struct esl_line l;
    esl_line_begin(&l, "uuid_fileman");
    esl_line_uuid(&l, uuid);
    esl_line_text(&l, acts[act].word);
    if (acts[act].has_value)
        (void)(acts[act].signed_value && value ? buf_addf(&l.b, ":%+d", value)
                                               : buf_addf(&l.b, ":%d", value));
    return esl_line_api(&l, sw, then);
}

static enum va_err audio(struct esl_switch *sw, const char *uuid, enum esl_direction direction,
                         const char *what, int level, const struct esl_then *then)
{
    if ((unsigned)direction > ESL_WRITE)
        return VA_EINVAL;
    struct esl_line l;
    esl_line_begin(&l, "uuid_audio");
    esl_line_uuid(&l, uuid);
    (void)buf_addf(&l.b, " start %s %s %d", direction == ESL_READ ? "read" : "write", what, level);
    return esl_line_api(&l, sw, then);
}

enum va_err esl_uuid_mute(struct esl_switch *sw, const char *uuid, enum esl_direction direction,
                          bool on, const struct esl_then *then)
{
    return audio(sw, uuid, direction, "mute", on ? -1 : 0, then);
}

enum va_err esl_uuid_level(struct esl_switch *sw, const char *uuid, enum esl_direction direction,
                           int level, const struct esl_then *then)
{
    return level < -4 || level > 4 ? VA_EINVAL : audio(sw, uuid, direction, "level", level, then);
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
