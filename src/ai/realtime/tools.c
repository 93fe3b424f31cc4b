/* Our three tools: what the model is told of them, what it asked for, what it is answered. */
#include "ai/realtime/rt.h"

#include <json-c/json.h>
#include <stdlib.h>

const struct rt_tool_spec rt_tool_specs[] = {
    {TOOL_TRANSFER, "transfer",
     "Connects the caller to a person or department. Tell the caller first, in the same answer, "
     "that you are connecting them. Only for what the caller wants.",
     "destination", "whom to connect to"},
    {TOOL_TAKE_MESSAGE, "take_message",
     "Records a spoken message of the caller behind a tone. Tell the caller first, in the same "
     "answer, to speak after the tone. It was recorded only if the result says so.",
     NULL, NULL},
    {TOOL_END_CALL, "end_call",
     "Hangs up. Say goodbye first, in the same answer. Only when the caller is done.", NULL, NULL},
};
const size_t rt_tool_spec_count = sizeof(rt_tool_specs) / sizeof(rt_tool_specs[0]);

bool rt_tool_offered(const struct provider *p, const struct rt_tool_spec *spec)
{
    return spec->kind != TOOL_TRANSFER || p->secretary->destination_count > 0;
}

void rt_tool_schema(struct json_writer *w, const char *key, const struct provider *p,
                    const struct rt_tool_spec *spec, bool upper)
{
    jw_object(w, key);
    jw_text(w, "type", upper ? "OBJECT" : "object");
    jw_object(w, "properties");
    if (spec->parameter) {
        jw_object(w, spec->parameter);
        jw_text(w, "type", upper ? "STRING" : "string");
        jw_text(w, "description", spec->parameter_description);
        jw_array(w, "enum");
        for (size_t i = 0; i < p->secretary->destination_count; i++)
            jw_text(w, NULL, p->secretary->destinations[i].name);
        jw_end(w);
        jw_end(w);
    }
    jw_end(w);
    jw_array(w, "required");
    if (spec->parameter)
        jw_text(w, NULL, spec->parameter);
    jw_end(w);
    jw_end(w);
}

/* ---- the model asks
 * ------------------------------------------------------------------------------ */

static const struct rt_tool_spec *find_spec(struct str name)
{
    for (size_t i = 0; i < rt_tool_spec_count; i++)
        if (str_eqz(name, rt_tool_specs[i].name))
            return &rt_tool_specs[i];
    return NULL;
}

/* The destination that the arguments name, as the secretary spells it; NULL when there is none. */
static const struct destination *find_destination(const struct provider *p, struct str arguments)
{
    struct json_tokener *tok = json_tokener_new();
    if (!tok || arguments.len > RT_TEXT_MAX) {
        json_tokener_free(tok);
        return NULL;
    }
    struct json_object *root = json_tokener_parse_ex(tok, arguments.p, (int)arguments.len);
    struct json_object *value = NULL;
    const struct destination *d = NULL;
    if (json_object_is_type(root, json_type_object) &&
        json_object_object_get_ex(root, "destination", &value) &&
        json_object_is_type(value, json_type_string))
        d = secretary_find_destination(p->secretary, json_object_get_string(value));
    json_object_put(root);
    json_tokener_free(tok);
    return d;
}

static struct rt_tool *free_slot(struct provider *p)
{
    for (size_t i = 0; i < RT_TOOLS_MAX; i++)
        if (!p->tool[i].id)
            return &p->tool[i];
    return NULL;
}

static bool refuse(struct provider *p, struct str name, struct str remote, const char *json)
{
    struct rt_tool t = {.kind = TOOL_END_CALL};
    (void)str_copy(t.name, sizeof(t.name), name);
    if (str_copy(t.remote, sizeof(t.remote), remote))
        p->dialect->tool_result(p, &t, json, true);
    log_info("ai", &p->log, "tool-refused", "tool", log_str(name), "answer", json, NULL);
    return false;
}

bool rt_tool_called(struct provider *p, struct str name, struct str remote, struct str arguments)
{
    if (rt_gone(p))
        return false;
    const struct rt_tool_spec *spec = find_spec(name);
    if (!spec || !rt_tool_offered(p, spec))
        return refuse(p, name, remote, "{\"error\":\"there is no such tool\"}");
    struct rt_tool *t = free_slot(p);
    if (!t || remote.len >= RT_ID_MAX)
        return refuse(p, name, remote, "{\"error\":\"too many tools at once\"}");
    struct tool_call call = {.kind = spec->kind, .destination = ""};
    if (spec->kind == TOOL_TRANSFER) {
        const struct destination *d = find_destination(p, arguments);
        if (!d)
            return refuse(p, name, remote,
                          "{\"error\":\"there is no such destination; use one of the list\"}");
        call.destination = d->name;
    }
    *t = (struct rt_tool){.id = ++p->last_tool, .kind = spec->kind};
    (void)str_copy(t->remote, sizeof(t->remote), remote);
    (void)str_copy(t->name, sizeof(t->name), name);
    call.id = t->id;
    p->owed = RT_OWES_NOTHING; /* the result decides */
    p->h->on_tool(p->arg, &call);
    return true;
}

bool rt_tools_settled(const struct provider *p)
{
    for (size_t i = 0; i < RT_TOOLS_MAX; i++)
        if (p->tool[i].id)
            return false;
    return true;
}

void rt_tool_cancelled(struct provider *p, struct str remote)
{
    for (size_t i = 0; i < RT_TOOLS_MAX; i++)
        if (p->tool[i].id && str_eqz(remote, p->tool[i].remote))
            p->tool[i].remote[0] = 0; /* the call runs it anyway; nobody hears the result */
}

/* ---- the call answers
 * ---------------------------------------------------------------------------- */

#define BACK_AND_SORRY "; the caller is with you again: say so and offer to take a message\"}"

static const char *transfer_result_json(enum va_err result)
{
    switch (result) {
    case VA_OK: return "{\"result\":\"ok\"}";
    case VA_EBUSY: return "{\"result\":\"failed\",\"reason\":\"the line is busy" BACK_AND_SORRY;
    case VA_ETIMEOUT: return "{\"result\":\"failed\",\"reason\":\"nobody answered" BACK_AND_SORRY;
    case VA_EREFUSED:
        return "{\"result\":\"failed\",\"reason\":\"the call was declined" BACK_AND_SORRY;
    case VA_ENOTFOUND:
        return "{\"result\":\"failed\",\"reason\":\"the number does not exist" BACK_AND_SORRY;
    case VA_EINTR:
        return "{\"result\":\"cancelled\",\"reason\":\"the caller pressed * to come back to you: "
               "ask what else you can do\"}";
    case VA_ECLOSED:
        return "{\"result\":\"returned\",\"reason\":\"the caller was connected, the other side "
               "hung up, and the caller is with you again: ask whether there is anything else\"}";
    default: return "{\"result\":\"failed\",\"reason\":\"it could not be reached" BACK_AND_SORRY;
    }
}

const char *rt_tool_result_json(enum tool_kind kind, enum va_err result)
{
    if (result == VA_ECANCELED)
        return "{\"result\":\"cancelled\",\"reason\":\"the caller spoke first\"}";
    if (result == VA_ELIMIT)
        return "{\"result\":\"refused\",\"reason\":\"another tool is running\"}";
    if (kind == TOOL_TRANSFER)
        return transfer_result_json(result);
    if (kind == TOOL_TAKE_MESSAGE && result == VA_ENOTFOUND)
        return "{\"result\":\"failed\",\"reason\":\"nothing was heard after the tone\"}";
    if (kind == TOOL_TAKE_MESSAGE && result)
        return "{\"result\":\"failed\",\"reason\":\"the message could not be saved; say so\"}";
    if (kind == TOOL_TAKE_MESSAGE)
        return "{\"result\":\"ok\",\"say\":\"the message is saved; ask whether there is anything "
               "else\"}";
    return result ? "{\"result\":\"failed\"}" : "{\"result\":\"ok\"}";
}

/* After a transfer that went well, and behind a goodbye, nobody is there to be told. */
bool rt_tool_result_told(enum tool_kind kind, enum va_err result)
{
    if (result == VA_ECANCELED || result == VA_ELIMIT)
        return false; /* the turn under way, or the other tool, decides */
    return result || kind == TOOL_TAKE_MESSAGE;
}

static void note_result(struct provider *p, const struct rt_tool *t, const char *json)
{
    (void)buf_addf(&p->note, "[Result of your tool %s: %s]\n", t->name, json);
}

void rt_tool_result(struct provider *p, uint32_t tool_id, enum va_err result)
{
    for (size_t i = 0; i < RT_TOOLS_MAX && tool_id; i++) {
        struct rt_tool t = p->tool[i];
        if (t.id != tool_id)
            continue;
        p->tool[i].id = 0;
        if (rt_gone(p))
            return;
        const char *json = rt_tool_result_json(t.kind, result);
        bool answer = rt_tool_result_told(t.kind, result);
        if (answer)
            rt_owe(p, RT_OWES_ANSWER);
        if (p->state != RT_READY || !*t.remote)
            note_result(p, &t, json);
        if (p->state == RT_READY && *t.remote)
            p->dialect->tool_result(p, &t, json, answer);
        else if (p->state == RT_READY && answer) {
            p->dialect->tell(p, buf_z(&p->note), true);
            buf_reset(&p->note);
        }
        return;
    }
}

/* The new session knows nothing of the old one's calls; their results are told as notes. */
void rt_tools_lost(struct provider *p)
{
    for (size_t i = 0; i < RT_TOOLS_MAX; i++)
        p->tool[i].remote[0] = 0;
}
