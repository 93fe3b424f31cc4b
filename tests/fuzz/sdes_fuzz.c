/* An a=crypto line of a stranger's SDP: what is read is written and read back the same. Corpus:
 * tests/corpus/sdes. */
#include "leg/sdes.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sdes_crypto c, back;
    char line[SDES_LINE];
    if (sdes_parse(str_make((const char *)data, size), &c))
        return 0;
    if (c.suite == SDES_NONE || c.tag > SDES_TAG_MAX || sdes_format(&c, line, sizeof(line)) ||
        sdes_parse(str_of(line), &back) || memcmp(&c, &back, sizeof(c)) != 0)
        abort();
    return 0;
}
