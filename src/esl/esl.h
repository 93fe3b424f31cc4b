/**
 * esl/esl.h: everything of the library in one include. `pkg-config --cflags --libs voice-ai-esl`.
 *
 *     blocking.h  a small program: connect, ask, wait for events
 *     client.h    a connection to FreeSWITCH (8021), kept alive, on an event loop
 *     server.h    FreeSWITCH's `socket` application calls us (8022)
 *     session.h   one such call
 *     commands.h  FreeSWITCH's commands by name; over each of the above, which is a switch.h
 *     event.h     what happened
 *     escape.h    text that arrives as it was
 *     parser.h    bytes in, messages out, without any socket
 */
#ifndef VA_ESL_ESL_H
#define VA_ESL_ESL_H

#include "esl/blocking.h"
#include "esl/client.h"
#include "esl/commands.h"
#include "esl/escape.h"
#include "esl/event.h"
#include "esl/execute.h"
#include "esl/loop.h"
#include "esl/parser.h"
#include "esl/queue.h"
#include "esl/server.h"
#include "esl/session.h"
#include "esl/switch.h"
#include "esl/types.h"

#endif
