#include "store/yaml_value.h"
#include "model/secretary.h"

enum va_err yaml_value_fault(struct yaml_in *in, enum va_err err, const char *key)
{
    if (err == VA_ELIMIT)
        return yaml_in_fault(in, yaml_in_line(in), "%s: too many entries", key);
    return err ? va_fault_set(in->fault, err, "%s: %s", in->name, va_err_text(err)) : VA_OK;
}

enum va_err yaml_value_need(struct yaml_in *in, const char *key, const char *what)
{
    if (yaml_in_type(in) != YAML_SCALAR_EVENT)
        return yaml_in_fault(in, yaml_in_line(in), "%s: expected %s", key, what);
    if (yaml_in_is_null(in))
        return yaml_in_fault(in, yaml_in_line(in),
                             "%s: has no value; expected %s (\"\" for none, and quotes around "
                             "what begins with # )",
                             key, what);
    return VA_OK;
}

enum va_err yaml_value_text(struct yaml_in *in, const char *key, char **field)
{
    enum va_err err = yaml_value_need(in, key, "a text");
    return err ? err : yaml_value_fault(in, secretary_set(field, yaml_in_text(in)), key);
}

enum va_err yaml_value_int(struct yaml_in *in, const char *key, int32_t *ret_n)
{
    int64_t n = 0;
    enum va_err err = yaml_value_need(in, key, "a whole number");
    if (err)
        return err;
    if (str_to_i64(str_of(yaml_in_text(in)), &n) || n < INT32_MIN || n > INT32_MAX)
        return yaml_in_fault(in, yaml_in_line(in), "%s: expected a whole number, found \"%.40s\"",
                             key, yaml_in_text(in));
    *ret_n = (int32_t)n;
    return VA_OK;
}

enum va_err yaml_value_truth(struct yaml_in *in, const char *key, bool with_auto, int32_t *ret_n)
{
    static const struct {
        const char *word;
        int32_t n;
    } words[] = {{"true", 1}, {"yes", 1}, {"on", 1},   {"false", 0},
                 {"no", 0},   {"off", 0}, {"auto", -1}};
    const char *what = with_auto ? "true, false or auto" : "true or false";
    enum va_err err = yaml_value_need(in, key, what);
    if (err)
        return err;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (str_ieqz(str_of(yaml_in_text(in)), words[i].word) && (with_auto || words[i].n >= 0)) {
            *ret_n = words[i].n;
            return VA_OK;
        }
    return yaml_in_fault(in, yaml_in_line(in), "%s: expected %s, found \"%.40s\"", key, what,
                         yaml_in_text(in));
}

enum va_err yaml_value_digit(struct yaml_in *in, const char *key, char *ret_digit)
{
    enum va_err err = yaml_value_need(in, key, "one of 0-9 * #");
    if (err)
        return err;
    const char *text = yaml_in_text(in);
    if (text[0] && (text[1] || !strchr("0123456789*#", text[0])))
        return yaml_in_fault(in, yaml_in_line(in), "%s: expected one of 0-9 * #, found \"%.40s\"",
                             key, text);
    *ret_digit = text[0];
    return VA_OK;
}

enum va_err yaml_value_id(struct yaml_in *in, const char *key, char id[static UUID_TEXT])
{
    enum va_err err = yaml_value_need(in, key, "a UUID");
    if (err)
        return err;
    const char *text = yaml_in_text(in);
    bool ok = strlen(text) == UUID_TEXT - 1;
    for (size_t i = 0; ok && i < UUID_TEXT - 1; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        ok = dash ? text[i] == '-' : strchr("0123456789abcdefABCDEF", text[i]) != NULL;
        id[i] = (char)(text[i] >= 'A' && text[i] <= 'F' ? text[i] + 32 : text[i]);
    }
    if (!ok)
        return yaml_in_fault(
            in, yaml_in_line(in),
            "%s: expected a UUID, found \"%.40s\"; leave the key out for a new one", key, text);
    id[UUID_TEXT - 1] = 0;
    return VA_OK;
}
