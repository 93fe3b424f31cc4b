/* Our three tools: what the model is told of them, what it asked for, what it is answered. */
#include "ai/brief.h"
#include "ai/json_get.h"

static const struct brief_tool tools[] = {
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

static bool offered(const struct secretary *s, const struct brief_tool *tool)
{
    return tool->kind != TOOL_TRANSFER || s->destination_count > 0;
}

const struct brief_tool *brief_tool_at(const struct secretary *s, size_t i)
{
    for (size_t k = 0; k < sizeof(tools) / sizeof(tools[0]); k++)
        if (offered(s, &tools[k]) && i-- == 0)
            return &tools[k];
    return NULL;
}

void brief_tool_schema(struct json_writer *w, const char *key, const struct secretary *s,
                       const struct brief_tool *tool, bool upper)
{
    jw_object(w, key);
    jw_text(w, "type", upper ? "OBJECT" : "object");
    jw_object(w, "properties");
    if (tool->parameter) {
        jw_object(w, tool->parameter);
        jw_text(w, "type", upper ? "STRING" : "string");
        jw_text(w, "description", tool->parameter_description);
        jw_array(w, "enum");
        for (size_t i = 0; i < s->destination_count; i++)
            jw_text(w, NULL, s->destinations[i].name);
        jw_end(w);
        jw_end(w);
    }
    jw_end(w);
    jw_array(w, "required");
    if (tool->parameter)
        jw_text(w, NULL, tool->parameter);
    jw_end(w);
    jw_end(w);
}

/* ---- the model asks -------------------------------------------------------------------------- */

/* The destination that the arguments name, as the secretary spells it; NULL when there is none. */
static const struct destination *find_destination(const struct secretary *s, struct str arguments)
{
    struct json_object *root = arguments.len <= BRIEF_ARGUMENTS_MAX ? jg_parse(arguments) : NULL;
    struct str name = jg_str(root, "destination");
    const struct destination *d = name.len ? secretary_find_destination(s, name.p) : NULL;
    json_object_put(root);
    return d;
}

const char *brief_tool_read(const struct secretary *s, struct str name, struct str arguments,
                            struct tool_call *ret_call)
{
    const struct brief_tool *tool = NULL;
    for (size_t i = 0; (tool = brief_tool_at(s, i)) && !str_eqz(name, tool->name); i++)
        ;
    if (!tool)
        return "{\"error\":\"there is no such tool\"}";
    struct tool_call call = {.kind = tool->kind, .destination = ""};
    if (tool->kind == TOOL_TRANSFER) {
        const struct destination *d = find_destination(s, arguments);
        if (!d)
            return "{\"error\":\"there is no such destination; use one of the list\"}";
        call.destination = d->name;
    }
    *ret_call = call;
    return NULL;
}

/* ---- the call answers ------------------------------------------------------------------------ */

#define BACK_AND_SORRY "; the caller is with you again: say so and offer to take a message\"}"

static const char *transfer_result(enum va_err result)
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

const char *brief_tool_result(enum tool_kind kind, enum va_err result)
{
    if (result == VA_ECANCELED)
        return "{\"result\":\"cancelled\",\"reason\":\"the caller spoke first\"}";
    if (result == VA_ELIMIT)
        return "{\"result\":\"refused\",\"reason\":\"another tool is running\"}";
    if (kind == TOOL_TRANSFER)
        return transfer_result(result);
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
bool brief_tool_result_told(enum tool_kind kind, enum va_err result)
{
    if (result == VA_ECANCELED || result == VA_ELIMIT)
        return false; /* the turn under way, or the other tool, decides */
    return result || kind == TOOL_TAKE_MESSAGE;
}
