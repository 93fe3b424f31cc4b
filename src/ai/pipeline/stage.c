#include "ai/pipeline/stage.h"
#include "ai/json_get.h"
#include "base/utf8.h"

#include <stdio.h>

enum va_err stage_url(char out[static STAGE_URL_MAX], const char *base, const char *fallback,
                      const char *path)
{
    struct str b = str_trim(str_of(*base ? base : fallback));
    while (b.len && b.p[b.len - 1] == '/')
        b.len--;
    int n = snprintf(out, STAGE_URL_MAX, "%.*s%s", STR_ARG(b), path);
    return n > 0 && n < STAGE_URL_MAX ? VA_OK : VA_ELIMIT;
}

/* Cut at a character, without what would break a line. */
static void one_line(struct str s, char out[static STAGE_CAUSE_MAX])
{
    s = str_trim(s);
    s.len = utf8_cut(s, STAGE_CAUSE_MAX - 1);
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.p[i];
        out[i] = c < 0x20 || c == 0x7f ? ' ' : (char)c;
    }
    out[s.len] = '\0';
}

void stage_cause(struct str body, char out[static STAGE_CAUSE_MAX])
{
    struct json_object *root = jg_parse(body);
    static const char *const keys[] = {"message", "error", "detail", "err_msg"};
    struct json_object *inside[] = {jg_obj(root, "error"), jg_obj(root, "detail"), root};
    struct str found = str_make(NULL, 0);
    for (size_t i = 0; i < 3 && !found.len; i++)
        for (size_t k = 0; k < 4 && !found.len; k++)
            found = jg_str(inside[i], keys[k]);
    one_line(root ? found : body, out);
    json_object_put(root);
}

struct stage_fault stage_http_fault(const char *stage, const struct http_end *end, char *text,
                                    size_t cap)
{
    char cause[STAGE_CAUSE_MAX];
    stage_cause(end->body, cause);
    char wait[48] = "";
    if (end->retry_after_ms >= 0)
        (void)snprintf(wait, sizeof(wait), "; it asks to wait %lld s",
                       (long long)end->retry_after_ms / 1000);
    (void)snprintf(text, cap, "%s: %s%s%s%s%s", stage, end->text, wait, *cause ? " (it says: " : "",
                   cause, *cause ? ")" : "");
    return (struct stage_fault){end->err, end->retry_after_ms, text};
}

void stage_deadlines(const struct stage_cfg *cfg, struct http_spec *spec)
{
    spec->connect_ms = (uint64_t)cfg->settings->ai_connect_timeout_ms;
    spec->first_byte_ms = STAGE_FIRST_BYTE_MS;
    spec->idle_ms = STAGE_STALL_MS;
}

const char *stage_openai_key(const struct settings *s, const char *own, const char *base)
{
    if (*own)
        return own;
    static const char its[] = "https://api.openai.com";
    struct str b = str_trim(str_of(base));
    /* to the end of the host: api.openai.com.example is somebody else */
    bool openai = !b.len || (str_starts(b, its) &&
                             (b.len == sizeof(its) - 1 || strchr("/:", b.p[sizeof(its) - 1])));
    return openai ? s->openai_api_key : "";
}

size_t stage_bearer(struct http_header h[static 2], const char *key, char *bearer, size_t cap)
{
    h[0] = (struct http_header){"Content-Type", "application/json", false};
    if (!*key)
        return 1;
    (void)snprintf(bearer, cap, "Bearer %s", key);
    h[1] = (struct http_header){"Authorization", bearer, true};
    return 2;
}
