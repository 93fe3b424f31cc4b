/* Life of a decoder: the model with its telephone transform, and the loop of phones. */
#include "ai/speech/decoder_int.h"
#include "ai/speech/front.h"

#include <sphinxbase/err.h>
#include <sphinxbase/fsg_model.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static void keep_quiet(void *arg, err_lvl_t level, const char *fmt, ...)
{
    (void)arg;
    (void)level;
    (void)fmt;
}

void decoder_quiet(void)
{
    err_set_callback(keep_quiet, NULL);
}

static const char *const phones[] = {"AA", "AE", "AH", "AO", "AW", "AY", "B",  "CH", "D",  "DH",
                                     "EH", "ER", "EY", "F",  "G",  "HH", "IH", "IY", "JH", "K",
                                     "L",  "M",  "N",  "NG", "OW", "OY", "P",  "R",  "S",  "SH",
                                     "T",  "TH", "UH", "UW", "V",  "W",  "Y",  "Z",  "ZH"};
enum { PHONES = sizeof(phones) / sizeof(phones[0]) };

static enum va_err add_phone_loop(struct decoder *d)
{
    logmath_t *lm = ps_get_logmath(d->ps);
    fsg_model_t *fsg = fsg_model_init("phones", lm, 1.0F, 2);
    if (!fsg)
        return VA_ENOMEM;
    for (size_t i = 0; i < PHONES; i++) {
        char label[8];
        (void)snprintf(label, sizeof(label), DECODER_LOOP "%s", phones[i]);
        (void)ps_add_word(d->ps, label, phones[i], FALSE);
        fsg_model_trans_add(fsg, 0, 1, logmath_log(lm, 1.0 / PHONES),
                            fsg_model_word_add(fsg, label));
    }
    (void)fsg_model_null_trans_add(fsg, 1, 0, 0);
    fsg->start_state = 0;
    fsg->final_state = 1;
    glist_free(fsg_model_null_trans_closure(fsg, NULL));
    int status = ps_set_fsg(d->ps, DECODER_LOOP, fsg);
    fsg_model_free(fsg);
    return status ? VA_ENOMEM : VA_OK;
}

/* pocketsphinx reads a transform by path only, so the text goes through a file in memory. */
static enum va_err transform_model(struct decoder *d)
{
    struct buf text;
    buf_init(&text, 65536);
    char path[64];
    int fd = memfd_create("va-band", MFD_CLOEXEC);
    enum va_err err = fd < 0 ? VA_EIO : front_band_transform(&text);
    if (!err && write(fd, text.p, text.len) != (ssize_t)text.len)
        err = VA_EIO;
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    ps_mllr_t *mllr = err ? NULL : ps_mllr_read(path);
    if (!err && !mllr)
        err = VA_EIO;
    if (mllr)
        (void)ps_update_mllr(d->ps, mllr); /* takes it over */
    if (fd >= 0)
        (void)close(fd);
    buf_free(&text);
    return err;
}

enum va_err decoder_open(struct decoder *d)
{
    char hmm[512];
    (void)snprintf(hmm, sizeof(hmm), "%s/en-us", d->model_dir);
    err_set_logfp(NULL); /* of this thread: the option parser prints past the callback */
    /* All senones in every frame: else scores of different searches could not be compared. */
    cmd_ln_t *config =
        cmd_ln_init(NULL, ps_args(), TRUE, "-hmm", hmm, "-samprate", "16000", "-compallsen", "yes",
                    "-beam", "1e-60", "-wbeam", "1e-40", "-pbeam", "1e-60", "-lw", "1.0", "-wip",
                    "0.05", "-pip", "1.0", NULL);
    d->ps = config ? ps_init(config) : NULL;
    cmd_ln_free_r(config);
    if (!d->ps)
        return VA_EIO;
    memset(d->grammars, 0, sizeof(d->grammars));
    d->dict_words = 0;
    enum va_err err = transform_model(d);
    return err ? err : add_phone_loop(d);
}

/* pocketsphinx ends the process over some broken files, so their absence is seen here first. */
static enum va_err check_files(const char *model_dir, struct va_fault *fault)
{
    static const char *const files[] = {
        "mdef", "means", "variances", "sendump", "transition_matrices", "feat.params"};
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        char path[512];
        struct stat st;
        (void)snprintf(path, sizeof(path), "%s/en-us/%s", model_dir, files[i]);
        if (stat(path, &st) != 0 || st.st_size == 0)
            return va_fault_set(fault, VA_ENOTFOUND,
                                "%s is missing; install the package pocketsphinx-en-us, or set the "
                                "model folder",
                                path);
    }
    return VA_OK;
}

enum va_err decoder_new(const char *model_dir, struct pron *pron, struct decoder **ret_decoder,
                        struct va_fault *fault)
{
    enum va_err err = check_files(model_dir, fault);
    if (err)
        return err;
    struct decoder *d = calloc(1, sizeof(*d));
    if (!d)
        return va_fault_set(fault, VA_ENOMEM, "out of memory");
    d->pron = pron;
    d->model_dir = str_dup(str_of(model_dir));
    err = d->model_dir ? decoder_open(d) : VA_ENOMEM;
    if (err) {
        decoder_free(&d);
        return va_fault_set(fault, err,
                            "libpocketsphinx cannot load the acoustic model in %s/en-us; install "
                            "the packages libpocketsphinx3 and pocketsphinx-en-us",
                            model_dir);
    }
    *ret_decoder = d;
    return VA_OK;
}

void decoder_free(struct decoder **pd)
{
    struct decoder *d = pd ? *pd : NULL;
    if (!d)
        return;
    *pd = NULL;
    if (d->ps)
        ps_free(d->ps);
    free(d->model_dir);
    free(d);
}

size_t decoder_grammars(const struct decoder *d)
{
    size_t n = 0;
    for (size_t i = 0; i < DECODER_GRAMMARS_MAX; i++)
        n += d->grammars[i].id != 0;
    return n;
}

uint64_t decoder_compiled(const struct decoder *d)
{
    return d->compilations;
}
