#include "store/yaml_in.h"

#include <stdarg.h>
#include <stdio.h>

enum va_err yaml_in_fault(const struct yaml_in *in, size_t line, const char *fmt, ...)
{
    char text[400];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    return va_fault_set(in->fault, VA_ECONFIG, "%.100s:%zu: %s", in->name, line, text);
}

enum va_err yaml_in_open(struct yaml_in *in, const char *name, struct str text,
                         struct va_fault *fault)
{
    *in = (struct yaml_in){.name = name, .fault = fault};
    if (!yaml_parser_initialize(&in->parser))
        return va_fault_set(fault, VA_ENOMEM, "%s: out of memory", name);
    yaml_parser_set_input_string(&in->parser, (const unsigned char *)text.p, text.len);
    yaml_parser_set_encoding(&in->parser, YAML_UTF8_ENCODING);
    return VA_OK;
}

void yaml_in_close(struct yaml_in *in)
{
    yaml_event_delete(&in->event);
    yaml_parser_delete(&in->parser);
}

static enum va_err parser_fault(const struct yaml_in *in)
{
    const yaml_parser_t *p = &in->parser;
    const char *problem = p->problem ? p->problem : "not YAML";
    if (p->error == YAML_MEMORY_ERROR)
        return va_fault_set(in->fault, VA_ENOMEM, "%.100s: out of memory", in->name);
    if (p->error == YAML_READER_ERROR)
        return va_fault_set(in->fault, VA_ECONFIG, "%.100s: byte %zu: %s; save it as UTF-8",
                            in->name, p->problem_offset + 1, problem);
    const char *context = p->context ? p->context : "";
    bool alias = strstr(context, "alias") || strstr(context, "anchor");
    return yaml_in_fault(in, p->problem_mark.line + 1, "%s%s%s%s", context, context[0] ? ", " : "",
                         problem,
                         alias ? "; a text that begins with * or & must be in quotes" : "");
}

/* What a YAML file may hold and ours may not. */
static enum va_err refuse_special(const struct yaml_in *in)
{
    const yaml_event_t *e = &in->event;
    const yaml_char_t *anchor = NULL, *tag = NULL;
    if (e->type == YAML_ALIAS_EVENT)
        return yaml_in_fault(in, yaml_in_line(in),
                             "*%.50s: aliases are not supported; a text that begins with * must "
                             "be in quotes",
                             (const char *)e->data.alias.anchor);
    if (e->type == YAML_SCALAR_EVENT) {
        anchor = e->data.scalar.anchor;
        tag = e->data.scalar.tag;
        if (strlen(yaml_in_text(in)) != e->data.scalar.length)
            return yaml_in_fault(in, yaml_in_line(in), "a text may not hold the character NUL");
    } else if (e->type == YAML_MAPPING_START_EVENT) {
        anchor = e->data.mapping_start.anchor;
        tag = e->data.mapping_start.tag;
    } else if (e->type == YAML_SEQUENCE_START_EVENT) {
        anchor = e->data.sequence_start.anchor;
        tag = e->data.sequence_start.tag;
    }
    if (anchor)
        return yaml_in_fault(in, yaml_in_line(in),
                             "&%.50s: anchors are not supported; a text that begins with & must "
                             "be in quotes",
                             (const char *)anchor);
    if (tag)
        return yaml_in_fault(in, yaml_in_line(in),
                             "%.50s: tags are not supported; a text that begins with ! must be in "
                             "quotes",
                             (const char *)tag);
    return VA_OK;
}

enum va_err yaml_in_next(struct yaml_in *in)
{
    yaml_event_delete(&in->event);
    if (!yaml_parser_parse(&in->parser, &in->event))
        return parser_fault(in);
    return refuse_special(in);
}

bool yaml_in_is_null(const struct yaml_in *in)
{
    const char *text = yaml_in_text(in);
    return in->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           (!text[0] || strcmp(text, "~") == 0 || str_ieqz(str_of(text), "null"));
}
