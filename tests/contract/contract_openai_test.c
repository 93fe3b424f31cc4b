/* The contract suite: OpenAI's realtime protocol and its dialects. */
#include "contract/openai_fake.h"
#include "contract/suite.h"

#include "ai/realtime/realtime.h"

static void configure_openai(struct rig *r)
{
    (void)str_copy(r->settings.openai_api_key, SETTING_TEXT_MAX, str_of("sk-test"));
    (void)snprintf(r->settings.openai_base_url, SETTING_TEXT_MAX, "%s/v1", r->fake.url);
}

static void configure_azure(struct rig *r)
{
    (void)str_copy(r->settings.azure_openai_api_key, SETTING_TEXT_MAX, str_of("sk-test"));
    (void)str_copy(r->settings.azure_openai_endpoint, SETTING_TEXT_MAX, str_of(r->fake.url));
    (void)str_copy(r->settings.azure_openai_deployment, SETTING_TEXT_MAX, str_of("mine"));
}

static void configure_xai(struct rig *r)
{
    (void)str_copy(r->settings.xai_api_key, SETTING_TEXT_MAX, str_of("sk-test"));
    (void)snprintf(r->settings.xai_base_url, SETTING_TEXT_MAX, "%s/v1", r->fake.url);
}

static const struct contract_case cases[] = {
    {.name = "openai",
     .ops = &provider_openai,
     .proto = &openai_fake,
     .configure = configure_openai,
     .renews = true,
     .truncates = true,
     .stops = true},
    {.name = "azure",
     .ops = &provider_azure,
     .proto = &openai_fake,
     .configure = configure_azure,
     .renews = true,
     .truncates = true,
     .stops = true},
    {.name = "xai",
     .ops = &provider_xai,
     .proto = &xai_fake,
     .configure = configure_xai,
     .renews = true,
     .stops = true},
    {.name = "openai-compatible",
     .ops = &provider_openai_compatible,
     .proto = &openai_fake,
     .configure = configure_openai,
     .renews = true,
     .stops = true},
};

static const char by_itself[] = "a sound ends an answer over there: nothing is left to go on";

static const struct contract_skip skips[] = {
    {"xai", "noise_is_forgiven", by_itself, NULL, NULL},
    {"openai-compatible", "noise_is_forgiven", by_itself, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

int main(int argc, char **argv)
{
    return suite_run("contract openai", cases, sizeof(cases) / sizeof(cases[0]), skips,
                     argc > 1 ? argv[1] : NULL);
}
