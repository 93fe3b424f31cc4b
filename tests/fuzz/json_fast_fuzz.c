/* Where the fast reader says yes, json-c reads the same; base64 likewise comes back as it went.
 * Corpus: tests/corpus/json_fast. */
#include "ai/realtime/json_fast.h"
#include "base/base64.h"

#include <json-c/json.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
    if (!ok)
        abort();
}

static void check_member(struct json_object *o, const struct json_want *want)
{
    struct json_object *v = NULL;
    bool there =
        json_object_object_get_ex(o, want->key, &v) && json_object_is_type(v, json_type_string);
    require(there == (want->value.p != NULL));
    if (!there)
        return;
    require((size_t)json_object_get_string_len(v) == want->value.len);
    require(memcmp(json_object_get_string(v), want->value.p, want->value.len) == 0);
}

static void check_json(struct str text)
{
    struct json_want want[] = {{.key = "type"}, {.key = "delta"}, {.key = "item_id"}};
    if (!json_fast(text, want, 3))
        return;
    struct json_tokener *tok = json_tokener_new();
    struct json_object *o = json_tokener_parse_ex(tok, text.p, (int)text.len);
    require(json_object_is_type(o, json_type_object));
    for (int i = 0; i < 3; i++)
        check_member(o, &want[i]);
    json_object_put(o);
    json_tokener_free(tok);
}

static void check_base64(struct str text)
{
    uint8_t *out = malloc(base64_decoded_max(text.len));
    char *again = malloc(text.len + 8);
    size_t len = 0;
    if (base64_decode(text.p, text.len, out, &len) == VA_OK) {
        size_t n = base64_encode(out, len, again);
        require(n >= text.len && memcmp(again, text.p, text.len) == 0);
        for (size_t i = text.len; i < n; i++)
            require(again[i] == '=');
    }
    free(out);
    free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = malloc(size + 1); /* exact bounds for the sanitizer */
    memcpy(copy, data, size);
    char *exact = realloc(copy, size ? size : 1);
    check_json(str_make(exact, size));
    check_base64(str_make(exact, size));
    free(exact);
    return 0;
}
