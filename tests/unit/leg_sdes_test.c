/* leg/sdes: a=crypto lines. */
#include "leg/sdes.h"

#include "unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

/* RFC 4568 §4.1's example key, by its bytes. */
#define KEY_TEXT "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj"
static const char key_bytes[] = "wDfvg&T+)xG7@fb5jU,RaA}\\|p0%*#";

static enum va_err parse(const char *text, struct sdes_crypto *ret)
{
    /* From the heap and without a NUL, so that a read too far is seen. */
    size_t len = strlen(text);
    char *copy = malloc(len ? len : 1);
    assert_non_null(copy);
    memcpy(copy, text, len);
    enum va_err err = sdes_parse(str_make(copy, len), ret);
    free(copy);
    return err;
}

static void lines_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum sdes_suite suite;
        uint32_t tag;
    } good[] = {
        {"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY_TEXT, SDES_AES_CM_128_SHA1_80, 1},
        {"1 AES_CM_128_HMAC_SHA1_32 inline:" KEY_TEXT, SDES_AES_CM_128_SHA1_32, 1},
        {"999999999 aes_cm_128_hmac_sha1_80 inline:" KEY_TEXT "|2^20", SDES_AES_CM_128_SHA1_80,
         999999999},
        {"  0  AES_CM_128_HMAC_SHA1_80   inline:" KEY_TEXT "|1048576 \r\n", SDES_AES_CM_128_SHA1_80,
         0},
        {"2 AES_CM_128_HMAC_SHA1_80 inline:" KEY_TEXT "|2^48 WSH=64", SDES_AES_CM_128_SHA1_80, 2},
    };
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        struct sdes_crypto c;
        assert_int_equal(parse(good[i].text, &c), VA_OK);
        assert_int_equal(c.suite, good[i].suite);
        assert_int_equal(c.tag, good[i].tag);
        assert_memory_equal(c.key, key_bytes, SDES_KEY_BYTES);
    }
}

static void what_is_no_line_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum va_err err;
    } bad[] = {
        {"", VA_EPROTO},
        {"1", VA_EPROTO},
        {"1 AES_CM_128_HMAC_SHA1_80", VA_EPROTO},
        {"x AES_CM_128_HMAC_SHA1_80 inline:" KEY_TEXT, VA_EPROTO},
        {"-1 AES_CM_128_HMAC_SHA1_80 inline:" KEY_TEXT, VA_EPROTO},
        {"1234567890 AES_CM_128_HMAC_SHA1_80 inline:" KEY_TEXT, VA_EPROTO},
        {"1 AES_CM_128_HMAC_SHA1_80 inline:", VA_EPROTO},
        {"1 AES_CM_128_HMAC_SHA1_80 outline:" KEY_TEXT, VA_EPROTO},
        {"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY_TEXT "A", VA_EPROTO},
        {"1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSo", VA_EPROTO},
        {"1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSo=", VA_EPROTO},
        {"1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJS!j", VA_EPROTO},
        {"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY_TEXT "|x", VA_EPROTO},
        {"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY_TEXT "|2^20|1:4", VA_ENOTSUP},
        {"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY_TEXT "|1:4", VA_ENOTSUP},
        {"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY_TEXT ";inline:" KEY_TEXT, VA_ENOTSUP},
        {"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY_TEXT " UNENCRYPTED_SRTP", VA_ENOTSUP},
        {"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY_TEXT " WSH=64 KDR=1", VA_ENOTSUP},
        {"1 AES_256_CM_HMAC_SHA1_80 inline:" KEY_TEXT, VA_ENOTSUP},
        {"1 F8_128_HMAC_SHA1_80 inline:" KEY_TEXT, VA_ENOTSUP},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        struct sdes_crypto c = {.suite = SDES_NONE, .tag = 77};
        if (parse(bad[i].text, &c) != bad[i].err)
            fail_msg("\"%s\" is not %s", bad[i].text, va_err_name(bad[i].err));
        assert_int_equal(c.tag, 77);
    }
}

/* Cut anywhere it is no line, but for the end of the optional part. */
static void no_part_of_a_line_is_one(void **state)
{
    (void)state;
    static const char line[] = "1 AES_CM_128_HMAC_SHA1_80 inline:" KEY_TEXT;
    for (size_t i = 0; i < sizeof(line) - 1; i++) {
        char part[sizeof(line)];
        struct sdes_crypto c;
        memcpy(part, line, i);
        part[i] = 0;
        assert_int_equal(parse(part, &c), VA_EPROTO);
    }
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 200; i++) {
        struct sdes_crypto c, back;
        char line[SDES_LINE];
        sdes_make(i % 2 ? SDES_AES_CM_128_SHA1_32 : SDES_AES_CM_128_SHA1_80,
                  i == 199 ? SDES_TAG_MAX : i, &c);
        assert_int_equal(sdes_format(&c, line, sizeof(line)), VA_OK);
        assert_int_equal(parse(line, &back), VA_OK);
        assert_memory_equal(&c, &back, sizeof(c));
        assert_int_equal(sdes_format(&c, line, strlen(line)), VA_ELIMIT);
        sdes_wipe(&c);
        assert_int_equal(sdes_format(&c, line, sizeof(line)), VA_EINVAL);
    }
    struct sdes_crypto known = {.suite = SDES_AES_CM_128_SHA1_80, .tag = 1};
    char line[SDES_LINE];
    memcpy(known.key, key_bytes, SDES_KEY_BYTES);
    assert_int_equal(sdes_format(&known, line, sizeof(line)), VA_OK);
    assert_string_equal(line, "1 AES_CM_128_HMAC_SHA1_80 inline:" KEY_TEXT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_read),
        cmocka_unit_test(what_is_no_line_is_refused),
        cmocka_unit_test(no_part_of_a_line_is_one),
        cmocka_unit_test(what_is_written_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
