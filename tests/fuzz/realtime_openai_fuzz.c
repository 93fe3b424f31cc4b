/* OpenAI's protocol, driven as realtime_driver.h says. Corpus: tests/corpus/realtime_openai. */
#include "ai/realtime/realtime.h"

#include "realtime_driver.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    converse(size % 2 ? &provider_openai : &provider_openai_compatible,
             str_make((const char *)data, size));
    return 0;
}
