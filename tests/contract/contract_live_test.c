/* The contract suite: the remotes that answer, and let themselves be interrupted, by themselves. */
#include "contract/deepgram_fake.h"
#include "contract/elevenlabs_fake.h"
#include "contract/gemini_fake.h"
#include "contract/gptlive_fake.h"
#include "contract/suite.h"
#include "contract/ultravox_fake.h"

#include "ai/realtime/realtime.h"

static void configure_gemini(struct rig *r)
{
    memset(&gf, 0, sizeof(gf));
    (void)str_copy(r->settings.google_api_key, SETTING_TEXT_MAX, str_of("sk-test"));
    (void)str_copy(r->settings.gemini_base_url, SETTING_TEXT_MAX, str_of(r->fake.url));
}

static void configure_gemini_2(struct rig *r)
{
    configure_gemini(r);
    (void)str_copy(r->settings.gemini_model, SETTING_TEXT_MAX, str_of("gemini-2.5-native"));
}

static void configure_elevenlabs(struct rig *r)
{
    memset(&ef, 0, sizeof(ef));
    (void)str_copy(r->settings.elevenlabs_agent_id, SETTING_TEXT_MAX, str_of("agent_1"));
    (void)str_copy(r->settings.elevenlabs_base_url, SETTING_TEXT_MAX, str_of(r->fake.url));
}

static void configure_elevenlabs_pcm(struct rig *r)
{
    configure_elevenlabs(r);
    ef.format = "pcm_16000";
    ef.same_number = ef.complete = true;
}

static void configure_deepgram(struct rig *r)
{
    memset(&df, 0, sizeof(df));
    df.echo = true;
    (void)str_copy(r->settings.deepgram_api_key, SETTING_TEXT_MAX, str_of("sk-test"));
    (void)snprintf(r->settings.deepgram_agent_url, SETTING_TEXT_MAX, "%s/v1/agent/converse",
                   r->fake.url);
}

static void configure_ultravox(struct rig *r)
{
    hf_start(&uf_http, r->loop, "x-api-key");
    uf_joined = 0;
    (void)snprintf(uf_http.body, sizeof(uf_http.body), "{\"joinUrl\":\"%s/join\"}", r->fake.url);
    (void)str_copy(r->settings.ultravox_api_key, SETTING_TEXT_MAX, str_of("sk-test"));
    (void)snprintf(r->settings.ultravox_base_url, SETTING_TEXT_MAX, "http://127.0.0.1:%u",
                   uf_http.server.port);
}

static void end_ultravox(struct rig *r)
{
    (void)r;
    hf_stop(&uf_http);
}

static void configure_gpt_live(struct rig *r)
{
    memset(&lf, 0, sizeof(lf));
    (void)str_copy(r->settings.openai_api_key, SETTING_TEXT_MAX, str_of("sk-test"));
    (void)snprintf(r->settings.openai_base_url, SETTING_TEXT_MAX, "%s/v1", r->fake.url);
}

static const struct contract_case cases[] = {
    {.name = "gemini",
     .ops = &provider_gemini,
     .proto = &gemini_fake,
     .configure = configure_gemini,
     .renews = true},
    {.name = "gemini-2",
     .ops = &provider_gemini,
     .proto = &gemini_fake,
     .configure = configure_gemini_2,
     .renews = true},
    {.name = "elevenlabs",
     .ops = &provider_elevenlabs,
     .proto = &elevenlabs_fake,
     .configure = configure_elevenlabs,
     .renews = true},
    {.name = "elevenlabs-pcm",
     .ops = &provider_elevenlabs,
     .proto = &elevenlabs_fake,
     .configure = configure_elevenlabs_pcm,
     .renews = true},
    {.name = "deepgram",
     .ops = &provider_deepgram,
     .proto = &deepgram_fake,
     .configure = configure_deepgram,
     .renews = true},
    {.name = "ultravox",
     .ops = &provider_ultravox,
     .proto = &ultravox_fake,
     .configure = configure_ultravox,
     .end = end_ultravox,
     .renews = true},
    {.name = "gpt-live",
     .ops = &provider_gpt_live,
     .proto = &gptlive_fake,
     .configure = configure_gpt_live,
     .renews = true,
     .continuous = true},
};

static const struct contract_skip skips[] = {
    {"*", "noise_is_forgiven", "a sound ends an answer over there: nothing is left to go on", NULL,
     NULL},
    {"gpt-live", "barge_in", "it decides by itself when it stops, and tells of no interruption",
     NULL, NULL},
    {"elevenlabs", "stall", "silence is how the end of its answers is told", NULL, NULL},
    {"elevenlabs-pcm", "stall", "silence is how the end of its answers is told", NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

int main(int argc, char **argv)
{
    return suite_run("contract live", cases, sizeof(cases) / sizeof(cases[0]), skips,
                     argc > 1 ? argv[1] : NULL);
}
