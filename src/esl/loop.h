/**
 * esl/loop.h: the loop a client or server runs on, for programs outside of this tree: a libuv loop
 * of theirs or one of its own.
 */
#ifndef VA_ESL_LOOP_H
#define VA_ESL_LOOP_H

#include "base/err.h"

struct loop;
struct uv_loop_s; /* uv_loop_t of <uv.h> */

/**
 * SIGPIPE, where it would end the program, is ignored from then on.
 *
 * @param uv  The caller's, who runs it; NULL: one of its own, for esl_loop_run()
 * @return VA_OK, VA_ENOMEM
 */
VA_CHECK enum va_err esl_loop_new(struct uv_loop_s *uv, struct loop **ret_loop);
/** Run until esl_loop_stop(). */
void esl_loop_run(struct loop *loop);
/** Any thread. */
void esl_loop_stop(struct loop *loop);
/** All clients, servers and sessions on it must be closed. A caller's uv loop stays open. */
void esl_loop_free(struct loop **loop);

#endif
