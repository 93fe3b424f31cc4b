#include "leg/ws_text.h"

#include <json-c/json.h>

enum { DEPTH_MAX = 8 };

/* NULL when it is not one object and nothing behind it. Freed with json_object_put(). */
static struct json_object *parse(struct str text)
{
    struct json_tokener *tok = json_tokener_new_ex(DEPTH_MAX);
    if (!tok)
        return NULL;
    struct json_object *o = json_tokener_parse_ex(tok, text.p, (int)text.len);
    bool whole = o && json_tokener_get_error(tok) == json_tokener_success &&
                 json_object_is_type(o, json_type_object);
    size_t end = json_tokener_get_parse_end(tok);
    if (whole)
        whole = str_trim(str_make(text.p + end, text.len - end)).len == 0;
    json_tokener_free(tok);
    if (whole)
        return o;
    json_object_put(o);
    return NULL;
}

/* A text of the object; empty when there is none. Borrowed from it. */
static struct str text_of(struct json_object *o, const char *key)
{
    struct json_object *v = NULL;
    if (!json_object_object_get_ex(o, key, &v) || !json_object_is_type(v, json_type_string))
        return str_make("", 0);
    return str_make(json_object_get_string(v), (size_t)json_object_get_string_len(v));
}

/* A number, also one written as a text ("8000", "16k"). 0 when there is none. */
static int64_t number_of(struct json_object *o, const char *key)
{
    struct json_object *v = NULL;
    if (json_object_object_get_ex(o, key, &v) && json_object_is_type(v, json_type_int))
        return json_object_get_int64(v);
    struct str s = text_of(o, key);
    uint64_t n = 0;
    if (str_ieqz(s, "8k") || str_ieqz(s, "16k"))
        return s.len == 2 ? 8000 : 16000;
    return str_to_u64(s, &n) ? 0 : (int64_t)(n & 0xffffffff);
}

static const struct {
    const char *name;
    enum ws_playback value;
} playbacks[] = {
    {"auto", WS_PLAY_AUTO}, {"unicast", WS_PLAY_UNICAST}, {"broadcast", WS_PLAY_FILES},
    {"json", WS_PLAY_JSON}, {"binary", WS_PLAY_BINARY},
};

enum va_err ws_playback_read(struct str s, enum ws_playback *ret)
{
    for (size_t i = 0; i < sizeof(playbacks) / sizeof(playbacks[0]); i++)
        if (str_ieqz(s, playbacks[i].name)) {
            *ret = playbacks[i].value;
            return VA_OK;
        }
    return VA_EINVAL;
}

const char *ws_playback_text(enum ws_playback p)
{
    for (size_t i = 0; i < sizeof(playbacks) / sizeof(playbacks[0]); i++)
        if (playbacks[i].value == p)
            return playbacks[i].name;
    return "";
}

static enum ws_codec codec_of(struct str s)
{
    static const struct {
        const char *name;
        enum ws_codec codec;
    } names[] = {
        {"l16", WS_CODEC_L16},         {"raw", WS_CODEC_L16},
        {"audio/x-l16", WS_CODEC_L16}, {"pcmu", WS_CODEC_PCMU},
        {"ulaw", WS_CODEC_PCMU},       {"mulaw", WS_CODEC_PCMU},
        {"g711_ulaw", WS_CODEC_PCMU},  {"audio/x-mulaw", WS_CODEC_PCMU},
        {"pcma", WS_CODEC_PCMA},       {"alaw", WS_CODEC_PCMA},
        {"g711_alaw", WS_CODEC_PCMA},  {"audio/x-alaw", WS_CODEC_PCMA},
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (str_ieqz(s, names[i].name))
            return names[i].codec;
    return WS_CODEC_UNKNOWN;
}

static void read_wire(struct json_object *o, struct ws_wire *wire)
{
    static const char *const codecs[] = {"codec", "encoding", "audioDataType"};
    static const char *const rates[] = {"rate", "sampleRate", "sample_rate"};
    for (size_t i = 0; i < 3 && wire->codec == WS_CODEC_UNKNOWN; i++)
        wire->codec = codec_of(text_of(o, codecs[i]));
    int64_t rate = 0;
    for (size_t i = 0; i < 3 && !rate; i++)
        rate = number_of(o, rates[i]);
    if (rate == 8000 || rate == 16000 || rate == 24000 || rate == 48000)
        wire->rate_hz = (int)rate;
    int64_t channels = number_of(o, "channels");
    struct str mix = text_of(o, "mix");
    if (channels == 1 || channels == 2)
        wire->channels = (int)channels;
    else if (mix.len)
        wire->channels = str_ieqz(mix, "stereo") ? 2 : 1;
}

static char digit_of(struct json_object *o)
{
    struct str type = text_of(o, "type"), digit = text_of(o, "digit");
    if (!type.len)
        type = text_of(o, "event");
    bool one = digit.len == 1 && memchr("0123456789*#ABCD", digit.p[0], 16);
    return str_ieqz(type, "dtmf") && one ? digit.p[0] : 0;
}

enum va_err ws_text_read(struct str text, struct ws_told *ret)
{
    *ret = (struct ws_told){0};
    if (text.len > WS_TEXT_MAX)
        return VA_ELIMIT;
    struct json_object *o = parse(text);
    if (!o)
        return VA_EINVAL;
    read_wire(o, &ret->wire);
    if (ws_playback_read(text_of(o, "playback"), &ret->playback))
        ret->playback = WS_PLAY_AUTO; /* nothing told */
    ret->digit = digit_of(o);
    json_object_put(o);
    return VA_OK;
}

/* It becomes the argument of an application: nothing FreeSWITCH would expand or read as options. */
static bool plain_path(struct str path, const char *uuid)
{
    bool rooted = str_starts(path, "/") || (path.len > 2 && path.p[1] == ':');
    for (size_t i = 0; i < path.len; i++) {
        unsigned char c = (unsigned char)path.p[i];
        if (c <= 0x20 || c == 0x7f || strchr("${}'\"`!;&|", c))
            return false;
    }
    return rooted && memmem(path.p, path.len, uuid, strlen(uuid)) &&
           !memmem(path.p, path.len, "..", 2);
}

enum va_err ws_play_file(struct str body, const char *uuid, char *ret_path, size_t cap)
{
    if (body.len > WS_TEXT_MAX)
        return VA_ELIMIT;
    struct json_object *o = parse(body);
    if (!o)
        return VA_EPROTO;
    struct str path = text_of(o, "file");
    enum va_err err = plain_path(path, uuid) ? VA_OK : VA_EPROTO;
    if (!err && !str_copy(ret_path, cap, path))
        err = VA_ELIMIT;
    json_object_put(o);
    return err;
}

void ws_error_text(struct str body, char *out, size_t cap)
{
    *out = 0;
    struct json_object *o = body.len <= WS_TEXT_MAX ? parse(body) : NULL, *message = NULL;
    if (o && json_object_object_get_ex(o, "message", &message) &&
        json_object_is_type(message, json_type_object)) {
        struct str s = text_of(message, "error");
        (void)str_copy(out, cap, s.len ? s : text_of(message, "reason"));
    }
    json_object_put(o);
}
