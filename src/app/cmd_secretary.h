/** app/cmd_secretary.h: `voice-ai secretary`: list, show, import, export, remove. */
#ifndef VA_APP_CMD_SECRETARY_H
#define VA_APP_CMD_SECRETARY_H

#include "base/settings.h"

/**
 * Run the command. Works beside a running daemon, which sees the change with the next call.
 *
 * @param argv  Behind the word `secretary`: argv[0] is "list", …
 * @return exit code: 0 done; 1 not found, or nothing to list; 2 wrong usage or a fault, said on
 *         stderr in one line
 */
int cmd_secretary(const struct settings *s, int argc, char **argv);

#endif
