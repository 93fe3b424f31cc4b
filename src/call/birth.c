#include "call/birth.h"
#include "esl/session.h"
#include "leg/sip_ua.h"
#include "leg/ws_hub.h"

enum va_err birth_begin(struct birth *b, struct call_worker *w)
{
    switch (b->kind) {
    case BIRTH_STREAM: return call_open_stream(w, b->stream);
    case BIRTH_SIP: return call_open_sip(w, b->incoming);
    case BIRTH_SOCKET:
    case BIRTH_KINDS: break;
    }
    return call_open(w, b->fd, &b->peer);
}

void birth_refuse(struct birth *b, const char *why)
{
    switch (b->kind) {
    case BIRTH_STREAM: ws_stream_refuse(&b->stream, 503, why); return;
    case BIRTH_SIP: sip_incoming_reject(b->incoming, 503); return;
    case BIRTH_SOCKET:
    case BIRTH_KINDS: esl_session_refuse(b->fd); return;
    }
}

const char *birth_stream(const struct birth *b)
{
    return b->kind == BIRTH_STREAM ? ws_stream_facts(b->stream)->call : "";
}
