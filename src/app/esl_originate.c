#include "app/esl_app.h"

int esl_originate(struct esl_app *a)
{
    esl_app_say(a, "not yet");
    return ESL_EXIT_FAIL;
}
