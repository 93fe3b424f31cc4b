/* The realtime core has these texts; its functions look at secretary and record of a conversation
 * alone. This is the only file of the pipeline that knows that. */
#include "ai/pipeline/brief.h"
#include "ai/realtime/rt.h"

enum va_err brief_prompt_add(struct buf *out, const struct secretary *s)
{
    const struct provider p = {.secretary = s};
    return rt_prompt_add(out, &p);
}

enum va_err brief_call_add(struct buf *out, const struct secretary *s, const struct call_record *r)
{
    const struct provider p = {.secretary = s, .record = r};
    return rt_call_data_add(out, &p);
}

void brief_language(const struct secretary *s, char out[static 3])
{
    const struct provider p = {.secretary = s};
    rt_language(&p, out);
}

/* The i-th that is offered. */
static const struct rt_tool_spec *spec_at(const struct provider *p, size_t i)
{
    for (size_t k = 0; k < rt_tool_spec_count; k++)
        if (rt_tool_offered(p, &rt_tool_specs[k]) && i-- == 0)
            return &rt_tool_specs[k];
    return NULL;
}

bool brief_tool_at(const struct secretary *s, size_t i, struct brief_tool *ret)
{
    const struct provider p = {.secretary = s};
    const struct rt_tool_spec *spec = spec_at(&p, i);
    if (spec)
        *ret = (struct brief_tool){spec->kind, spec->name, spec->description};
    return spec != NULL;
}

void brief_tool_schema(struct json_writer *w, const char *key, const struct secretary *s, size_t i)
{
    const struct provider p = {.secretary = s};
    const struct rt_tool_spec *spec = spec_at(&p, i);
    if (spec)
        rt_tool_schema(w, key, &p, spec, false);
}

const char *brief_tool_result(enum tool_kind kind, enum va_err result)
{
    return rt_tool_result_json(kind, result);
}

bool brief_tool_result_told(enum tool_kind kind, enum va_err result)
{
    return rt_tool_result_told(kind, result);
}

enum va_err brief_say_add(struct buf *out, const struct secretary *s, enum say_intent intent)
{
    const struct provider p = {.secretary = s};
    return rt_say_add(out, &p, intent);
}
