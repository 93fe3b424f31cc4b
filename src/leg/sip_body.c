#include "leg/sip_body.h"

/* "5", "*", "a"; also the event numbers "10" … "15" (RFC 4733 §3.2). */
static char digit_of(struct str s)
{
    static const char by_number[] = "0123456789*#ABCD";
    uint64_t n = 0;
    if (s.len == 1 && strchr("0123456789*#ABCD", s.p[0]) && s.p[0])
        return s.p[0];
    if (s.len == 1 && s.p[0] >= 'a' && s.p[0] <= 'd')
        return (char)(s.p[0] - 'a' + 'A');
    if (s.len == 2 && str_to_u64(s, &n) == VA_OK && n < 16)
        return by_number[n];
    return 0;
}

char sip_dtmf_digit(struct str content_type, struct str body)
{
    if (str_ieqz(content_type, "application/dtmf"))
        return digit_of(str_trim(body));
    if (!str_ieqz(content_type, "application/dtmf-relay"))
        return 0;
    struct str rest = body;
    while (rest.len) {
        struct str line = str_cut(&rest, '\n'), name = str_cut(&line, '=');
        if (str_ieqz(str_trim(name), "Signal"))
            return digit_of(str_trim(line));
    }
    return 0;
}

int sip_frag_status(struct str body)
{
    uint64_t status = 0;
    struct str rest = body;
    struct str line = str_trim(str_cut(&rest, '\n')), version = str_cut(&line, ' ');
    if (!str_eqz(version, "SIP/2.0") || str_to_u64(str_cut(&line, ' '), &status) || status < 100 ||
        status > 699)
        return 0;
    return (int)status;
}
