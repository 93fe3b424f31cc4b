/** tests/fakes/fake_api.h: what fake_api.c needs of the API commands about channels. */
#ifndef ESL_FAKE_API_H
#define ESL_FAKE_API_H

#include "fake.h"

/** Own copy of a waiter, to answer it later with waiter_done(). */
void waiter_keep(struct waiter *to, const struct waiter *w);
unsigned session_count(void); /**< since the start */

/* fake_api_uuid.c. `arg` is writable, the output goes to `out`. */
void api_show(char *arg, struct bytes *out);
void api_uuid_exists(char *arg, struct bytes *out);
void api_uuid_getvar(char *arg, struct bytes *out);
void api_uuid_setvar(char *arg, struct bytes *out);
void api_uuid_setvar_multi(char *arg, struct bytes *out);
void api_uuid_kill(char *arg, struct bytes *out);
void api_uuid_dump(char *arg, struct bytes *out);
void api_uuid_broadcast(char *arg, struct bytes *out);
void api_uuid_break(char *arg, struct bytes *out);
void api_uuid_send_dtmf(char *arg, struct bytes *out);
void api_uuid_recv_dtmf(char *arg, struct bytes *out);
void api_uuid_hold(char *arg, struct bytes *out);

#endif
