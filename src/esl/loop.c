#include "esl/loop.h"
#include "net/loop.h"

enum va_err esl_loop_new(struct uv_loop_s *uv, struct loop **ret_loop)
{
    return uv ? loop_attach(uv, NULL, 0, ret_loop) : loop_new(NULL, 0, ret_loop);
}

void esl_loop_run(struct loop *loop)
{
    loop_run(loop);
}

void esl_loop_stop(struct loop *loop)
{
    loop_stop(loop);
}

void esl_loop_free(struct loop **loop)
{
    loop_free(loop);
}
