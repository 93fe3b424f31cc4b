/* What becomes of a session's channel when we let it go. */
#include "call/control_socket_int.h"
#include "esl/channel.h"

#include <stdio.h>

static void not_given_back(const struct socket_control *s, enum va_err err)
{
    if (err)
        log_error("call", &s->log, "not-given-back", "why", va_err_text(err), NULL);
}

static enum va_err hang_up_lost(struct socket_control *s, const char *why)
{
    log_warn("call", &s->log, "hung-up", "why", why, NULL);
    return esl_session_hangup(s->session, "NORMAL_TEMPORARY_FAILURE", NULL);
}

/* Its dialplan begins anew; while we stop or are full it goes on to the next node or human. By
 * `api`: what we execute might come behind the end of the parking, which comes with that of the
 * socket. */
static enum va_err back_from_adrift(struct socket_control *s, bool bound)
{
    struct esl_transfer to = {
        .extension = str_of(s->number), .dialplan = "XML", .context = s->context};
    char uuid[UUID_TEXT], line[sizeof(s->back_to) + UUID_TEXT + 16];
    (void)str_copy(uuid, sizeof(uuid), esl_session_uuid(s->session));
    if (*s->back_to) {
        int n = snprintf(line, sizeof(line), "uuid_transfer %s %s", uuid, s->back_to);
        return esl_session_api(s->session, str_make(line, (size_t)n), NULL);
    }
    if (bound || !*s->number || !*s->context)
        return hang_up_lost(s, "it was with a human, and nothing says where it goes on");
    return esl_uuid_transfer(esl_session_switch(s->session), uuid, &to, NULL);
}

void control_socket_give_back(struct control **pctl)
{
    struct socket_control *s = pctl && *pctl ? socket_control_of(*pctl) : NULL;
    if (!s)
        return;
    ring_part(&s->ring);
    if (s->fate == HERE && s->place == ADRIFT)
        not_given_back(s, back_from_adrift(s, false));
    control_socket_close(pctl); /* which makes the dialplan go on */
}

/* Where it stands when we leave is where the caller stays. */
void control_bound_give_back(struct control **pctl)
{
    struct socket_control *s = pctl && *pctl ? socket_control_of(*pctl) : NULL;
    enum va_err err = VA_OK;
    if (!s)
        return;
    if (ring_moves(&s->ring)) {
        ring_part(&s->ring);
    } else if (s->fate == HERE && s->place == ADRIFT) {
        err = back_from_adrift(s, true);
    } else if (s->fate == HERE && *s->back_to) {
        struct esl_execute x = {.app = "transfer", .arg = str_of(s->back_to)};
        err = esl_session_execute(s->session, &x, NULL);
    } else if (s->fate == HERE && s->place == PARKED) {
        err = hang_up_lost(s, "its dialplan parks it and names no voice_ai_return to go on with");
    } else if (s->fate == HERE) {
        char uuid[UUID_TEXT];
        (void)str_copy(uuid, sizeof(uuid), esl_session_uuid(s->session));
        err = esl_uuid_break(esl_session_switch(s->session), uuid, true, NULL);
    }
    not_given_back(s, err);
    control_socket_close(pctl);
}
