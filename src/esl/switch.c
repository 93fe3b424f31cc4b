#include "esl/switch_int.h"

enum va_err esl_switch_api(struct esl_switch *sw, struct str line, const struct esl_then *then)
{
    return sw->ops->api(sw, line, then);
}

enum va_err esl_switch_bgapi(struct esl_switch *sw, struct str line, const struct esl_then *then)
{
    return sw->ops->bgapi(sw, line, then);
}
