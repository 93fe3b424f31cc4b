/* leg/ws_request: any bytes as a head; what is accepted is within its bounds. */
#include "leg/ws_request.h"
#include "net/http_head.h"

#include <stdlib.h>

static void check(int holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str all = {(const char *)data, size};
    struct ws_ask ask;
    struct ws_path path;
    const char *why = NULL;
    const struct ws_gate gates[] = {{STR_LIT("s3cret"), false, STR_LIT("own")},
                                    {{NULL, 0}, true, {NULL, 0}},
                                    {{NULL, 0}, false, {NULL, 0}}};
    if (ws_request_read(str_make(all.p, http_head_length(all.p, all.len, 0)), &ask, &why)) {
        check(why && *why);
        return 0;
    }
    for (size_t i = 0; i < 3; i++)
        (void)!ws_gate_check(&gates[i], &ask, &why);
    check(ws_gate_check(&gates[2], &ask, &why) != 0);
    if (ws_path_read(ask.path, ask.query, &path, &why))
        return 0;
    if (path.kind == WS_PATH_CALL)
        check(strlen(path.token) == WS_TOKEN_TEXT - 1);
    else
        check(*path.stream.call && !strpbrk(path.stream.call, " \r\n$/"));
    for (const char *p = path.stream.caller; *p; p++)
        check((unsigned char)*p >= 0x20);
    return 0;
}
