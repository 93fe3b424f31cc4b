/* The remotes that answer by themselves, driven as realtime_driver.h says. The first byte chooses
 * the provider. Corpus: tests/corpus/realtime_live. */
#include "ai/realtime/realtime.h"

#include "realtime_driver.h"

static const struct provider_ops *const providers[] = {&provider_gemini, &provider_elevenlabs,
                                                       &provider_deepgram, &provider_ultravox,
                                                       &provider_gpt_live};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size)
        converse(providers[data[0] % 5], str_make((const char *)data + 1, size - 1));
    return 0;
}
