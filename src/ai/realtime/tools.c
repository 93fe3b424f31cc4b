/* What the model asked for, and what it is answered: calls that are under way. */
#include "ai/realtime/rt.h"

#include <stdlib.h>

/* ---- the model asks -------------------------------------------------------------------------- */

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
    struct tool_call call;
    const char *why = brief_tool_read(p->secretary, name, arguments, &call);
    if (why)
        return refuse(p, name, remote, why);
    struct rt_tool *t = free_slot(p);
    if (!t || remote.len >= RT_ID_MAX)
        return refuse(p, name, remote, "{\"error\":\"too many tools at once\"}");
    *t = (struct rt_tool){.id = ++p->last_tool, .kind = call.kind};
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

/* ---- the call answers ------------------------------------------------------------------------ */

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
        const char *json = brief_tool_result(t.kind, result);
        bool answer = brief_tool_result_told(t.kind, result);
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
