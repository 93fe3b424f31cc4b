#include "model/record.h"

const char *call_outcome_text(enum call_outcome outcome)
{
    static const char *const texts[CALL_OUTCOME_COUNT] = {
#define X(sym, text) [sym] = text,
        CALL_OUTCOME_MAP(X)
#undef X
    };
    return (unsigned)outcome < CALL_OUTCOME_COUNT ? texts[outcome] : "?";
}
