/**
 * esl/commands.h: all commands of the Event Socket library in one. They send a checked line over
 * any `struct esl_switch` (a client's, a session's, that of the blocking form); readers interpret
 * the text of the result, in its callback or after the wait. Nothing is allocated in between.
 */
#ifndef VA_ESL_COMMANDS_H
#define VA_ESL_COMMANDS_H

#include "esl/channel.h"
#include "esl/originate.h"
#include "esl/registration.h"
#include "esl/reply.h"
#include "esl/rows.h"
#include "esl/status.h"
#include "esl/stream.h"
#include "esl/variable.h"

#endif
