/** esl/switch_int.h: what a client or session embeds to be a switch. */
#ifndef VA_ESL_SWITCH_INT_H
#define VA_ESL_SWITCH_INT_H

#include "esl/switch.h"

struct esl_switch_ops {
    enum va_err (*api)(struct esl_switch *sw, struct str line, const struct esl_then *then);
    enum va_err (*bgapi)(struct esl_switch *sw, struct str line, const struct esl_then *then);
};

struct esl_switch {
    const struct esl_switch_ops *ops;
};

#endif
