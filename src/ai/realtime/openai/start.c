/* The providers of this protocol: their settings, URLs, keys and quirks. */
#include "ai/realtime/openai/openai.h"
#include "ai/realtime/realtime.h"

#include <stdio.h>
#include <stdlib.h>

/* clang-format off */
static const struct oa_quirks quirks[] = {
    /*                       g711   pcm_hz server  trunc  beta   top    noise  transc instr */
    {"openai",               true,  24000, false,  true,  false, false, true,  true,  true},
    {"xai",                  true,  24000, true,   false, false, true,  false, true,  true},
    /* A server nobody told us of: GA shape, pcm, and it answers by itself. */
    {"generic",              false, 24000, true,   false, true,  false, false, true,  true},
    {"localai",              false, 24000, true,   false, false, false, false, true,  true},
    {"speech-to-speech",     false, 16000, true,   false, false, false, false, true,  true},
    {"speaches",             false, 24000, true,   false, true,  false, false, true,  true},
    {"sglang",               false, 24000, true,   false, true,  false, false, false, true},
};
/* clang-format on */

const struct oa_quirks *oa_quirks_find(const char *name)
{
    for (size_t i = 0; i < sizeof(quirks) / sizeof(quirks[0]); i++)
        if (strcmp(quirks[i].name, name) == 0)
            return &quirks[i];
    return NULL;
}

/* ---- URL
 * ----------------------------------------------------------------------------------------- */

static bool unreserved(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           strchr("-._~", c);
}

static void add_escaped(struct buf *b, const char *z)
{
    for (; *z; z++) {
        if (unreserved((unsigned char)*z))
            (void)buf_addc(b, *z);
        else
            (void)buf_addf(b, "%%%02X", (unsigned char)*z);
    }
}

static bool known_scheme(struct str url, struct str *rest)
{
    static const char *const schemes[] = {"https://", "wss://", "http://", "ws://"};
    for (size_t i = 0; i < 4; i++) {
        if (!str_starts(url, schemes[i]))
            continue;
        size_t n = strlen(schemes[i]);
        *rest = str_make(url.p + n, url.len - n);
        return rest->len && rest->p[0] != '/';
    }
    return false;
}

enum va_err oa_url(const char *setting, const char *base, const char *root, const char *model,
                   char *out, size_t cap, struct va_fault *fault)
{
    struct str url = str_trim(str_of(base)), rest;
    while (url.len && url.p[url.len - 1] == '/')
        url.len--;
    if (!known_scheme(url, &rest) || memchr(url.p, '?', url.len) || memchr(url.p, '#', url.len))
        return va_fault_set(fault, VA_ECONFIG,
                            "%s: must be a URL like https://host/v1 or ws://127.0.0.1:8080/v1, "
                            "without a query",
                            setting);
    struct buf b;
    buf_init(&b, cap - 1);
    (void)buf_adds(&b, url);
    if (!memchr(rest.p, '/', rest.len))
        (void)buf_addz(&b, root);
    if (!str_ends(url, "/realtime"))
        (void)buf_addz(&b, "/realtime");
    if (*model) {
        (void)buf_addz(&b, "?model=");
        add_escaped(&b, model);
    }
    enum va_err err = b.err;
    (void)str_copy(out, cap, buf_str(&b));
    buf_free(&b);
    return err ? va_fault_set(fault, VA_ECONFIG, "%s: too long", setting) : VA_OK;
}

/* ---- start
 * --------------------------------------------------------------------------------------- */

/* µ-law or A-law would both do; µ-law is what a line at 8 kHz without a wish gets. At other rates,
 * pcm keeps what G.711 would throw away. */
static struct rt_format choose_format(const struct provider *p, const struct oa_quirks *q)
{
    if (q->g711 && p->rate_hz == 8000)
        return (struct rt_format){RT_ULAW, 8000};
    return (struct rt_format){RT_PCM16, q->pcm_hz};
}

static enum va_err start(struct provider *p, const struct oa_quirks *q, const char *model,
                         const char *voice, const char *transcribe)
{
    struct oa *o = calloc(1, sizeof(*o));
    if (!o)
        return VA_ENOMEM;
    p->dialect_state = o;
    o->quirks = q;
    o->model = model;
    o->default_voice = voice;
    o->voice = *p->secretary->voice ? p->secretary->voice : voice;
    o->transcribe = transcribe;
    p->format_in = p->format_out = choose_format(p, q);
    return VA_OK;
}

static enum va_err need(const char *value, const char *setting, const char *what,
                        struct va_fault *fault)
{
    if (*value)
        return VA_OK;
    return va_fault_set(fault, VA_ECONFIG, "%s is not set: %s", setting, what);
}

enum va_err oa_start_openai(struct provider *p, struct va_fault *fault)
{
    const struct settings *s = p->settings;
    enum va_err err = need(s->openai_api_key, "OPENAI_API_KEY",
                           "AI_PROVIDER=openai needs a key of platform.openai.com", fault);
    const char *base = *s->openai_base_url ? s->openai_base_url : "https://api.openai.com/v1";
    if (!err)
        err = oa_url("OPENAI_BASE_URL", base, "/v1", s->openai_model, p->target.url, RT_URL_MAX,
                     fault);
    if (!err)
        err = rt_target_header(&p->target, "Authorization", "Bearer ", s->openai_api_key);
    return err ? err
               : start(p, oa_quirks_find("openai"), s->openai_model, s->openai_voice,
                       s->openai_transcribe_model);
}

enum va_err oa_start_azure(struct provider *p, struct va_fault *fault)
{
    const struct settings *s = p->settings;
    enum va_err err = need(s->azure_openai_endpoint, "AZURE_OPENAI_ENDPOINT",
                           "AI_PROVIDER=azure needs https://NAME.openai.azure.com", fault);
    if (!err)
        err = need(s->azure_openai_api_key, "AZURE_OPENAI_API_KEY",
                   "AI_PROVIDER=azure needs a key of that resource", fault);
    if (!err)
        err = need(s->azure_openai_deployment, "AZURE_OPENAI_DEPLOYMENT",
                   "AI_PROVIDER=azure needs the name of a realtime deployment", fault);
    if (!err)
        err = oa_url("AZURE_OPENAI_ENDPOINT", s->azure_openai_endpoint, "/openai/v1",
                     s->azure_openai_deployment, p->target.url, RT_URL_MAX, fault);
    if (!err)
        err = rt_target_header(&p->target, "api-key", "", s->azure_openai_api_key);
    return err ? err
               : start(p, oa_quirks_find("openai"), s->azure_openai_deployment, s->openai_voice,
                       s->openai_transcribe_model);
}

enum va_err oa_start_xai(struct provider *p, struct va_fault *fault)
{
    const struct settings *s = p->settings;
    enum va_err err =
        need(s->xai_api_key, "XAI_API_KEY", "AI_PROVIDER=xai needs a key of console.x.ai", fault);
    const char *base = *s->xai_base_url ? s->xai_base_url : "https://api.x.ai/v1";
    if (!err)
        err = oa_url("XAI_BASE_URL", base, "/v1", s->xai_model, p->target.url, RT_URL_MAX, fault);
    if (!err)
        err = rt_target_header(&p->target, "Authorization", "Bearer ", s->xai_api_key);
    return err ? err
               : start(p, oa_quirks_find("xai"), s->xai_model, s->xai_voice, "grok-transcribe");
}

enum va_err oa_start_compatible(struct provider *p, struct va_fault *fault)
{
    const struct settings *s = p->settings;
    enum va_err err =
        need(s->openai_base_url, "OPENAI_BASE_URL",
             "AI_PROVIDER=openai-compatible needs its URL, like ws://127.0.0.1:8080/v1", fault);
    if (!err)
        err = oa_url("OPENAI_BASE_URL", s->openai_base_url, "/v1", s->openai_model, p->target.url,
                     RT_URL_MAX, fault);
    if (!err && *s->openai_api_key)
        err = rt_target_header(&p->target, "Authorization", "Bearer ", s->openai_api_key);
    if (err)
        return err;
    err = start(p, oa_quirks_find(s->openai_quirks), s->openai_model, s->openai_voice,
                s->openai_transcribe_model);
    const struct oa_quirks *q = oa_quirks_find(s->openai_quirks);
    p->caps.holds_answers = !q->server_answers;
    p->caps.truncates = q->truncates;
    return err;
}

static void oa_stop(struct provider *p)
{
    free(oa_of(p)->want_text);
    oa_of(p)->want_text = NULL;
}

/* ---- the providers
 * ------------------------------------------------------------------------------- */

#define CAPS(holds, truncates_, formats_, max_s)                                                   \
    {                                                                                              \
        .detects_turns = true, .holds_answers = (holds), .truncates = (truncates_),                \
        .takes_text = true, .resumes = true, .formats = formats_, .session_max_s = (max_s)         \
    }
#define DIALECT(symbol, name_, start_, ...)                                                        \
    static const struct dialect symbol = {                                                         \
        .name = name_,                                                                             \
        .caps = CAPS(__VA_ARGS__),                                                                 \
        .prepares = true,                                                                          \
        .start = start_,                                                                           \
        .on_open = oa_on_open,                                                                     \
        .on_text = oa_on_text,                                                                     \
        .audio = oa_audio,                                                                         \
        .say = oa_say,                                                                             \
        .tell = oa_tell,                                                                           \
        .tool_result = oa_tool_result,                                                             \
        .interrupt = oa_interrupt,                                                                 \
        .turn_over = oa_turn_over,                                                                 \
        .stop = oa_stop,                                                                           \
    }

DIALECT(dialect_openai, "openai", oa_start_openai, true, true, "pcmu, pcm 24 kHz / the same", 3600);
DIALECT(dialect_azure, "azure", oa_start_azure, true, true, "pcmu, pcm 24 kHz / the same", 3600);
DIALECT(dialect_xai, "xai", oa_start_xai, false, false, "pcmu, pcm 24 kHz / the same", 3600);
DIALECT(dialect_compatible, "openai-compatible", oa_start_compatible, false, false,
        "pcm 24 kHz, or as OPENAI_QUIRKS says / the same", 0);

RT_PROVIDER(provider_openai, "openai", "OPENAI_API_KEY", dialect_openai);
RT_PROVIDER(provider_azure, "azure", "AZURE_OPENAI_API_KEY", dialect_azure);
RT_PROVIDER(provider_xai, "xai", "XAI_API_KEY", dialect_xai);
RT_PROVIDER(provider_openai_compatible, "openai-compatible", "OPENAI_BASE_URL", dialect_compatible);
