/* The WAV reader on anything: both byte for byte and resampled. Corpus: tests/corpus/wav. */
#include "media/wav.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (int channel = WAV_MIX; channel <= WAV_RIGHT; channel++) {
        struct wav_want want = {channel == WAV_MIX ? 8000 : 0, (enum wav_channel)channel};
        struct pcm *pcm = NULL;
        struct va_fault fault = {VA_OK, ""};
        enum va_err err = wav_decode(data, size, &want, &pcm, &fault);
        if (err && (pcm || fault.code != err || !fault.text[0]))
            abort();
        if (!err && pcm_count(pcm) && !pcm_samples(pcm))
            abort();
        pcm_unref(&pcm);
    }
    return 0;
}
