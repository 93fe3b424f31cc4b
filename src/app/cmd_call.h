/**
 * app/cmd_call.h: `voice-ai call`: a caller without FreeSWITCH, for trying, testing and measuring a
 * running daemon.
 */
#ifndef VA_APP_CMD_CALL_H
#define VA_APP_CMD_CALL_H

#include "base/settings.h"

/**
 * @param argv  Starts after the word `call`
 * @return the process's exit code: 0 the call went as expected, 1 it did not, 2 it could not be
 *         made (options, script, no daemon); one line on stderr says why
 */
int cmd_call(const struct settings *s, int argc, char **argv);

#endif
