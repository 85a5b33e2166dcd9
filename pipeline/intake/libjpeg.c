// libjpeg is called directly and not through OpenCV because only libjpeg says
// where the compressed data ran out: OpenCV fills the rest of a truncated
// picture and reports success.
#include "libjpeg.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

// Rows of blocks lost at the bottom that nobody notices in a browser: the last
// one, or this part of the height. Some cameras and messengers drop them.
#define TOLERATED_LOSS 50 // 1/50

struct decoding {
	struct jpeg_decompress_struct jpeg; // first: libjpeg hands back a pointer to it
	struct jpeg_error_mgr errors;
	struct jpeg_progress_mgr progress;
	jmp_buf escape;
	struct jpeg_result result;
	int max_scans;
	const int32_t *cancel;
};

static void give_up(struct decoding *d, enum jpeg_status status) {
	d->result.status = status;
	longjmp(d->escape, 1);
}

static void on_error(j_common_ptr common) {
	struct decoding *d = (struct decoding *)common;
	char message[JMSG_LENGTH_MAX];
	d->errors.format_message(common, message);
	snprintf(d->result.message, sizeof d->result.message, "%s", message);
	give_up(d, JPEG_CORRUPT);
}

// Warnings are slight damage, which libjpeg mends, except the one that says
// that a scan met the end of the picture too early.
static void on_message(j_common_ptr common, int level) {
	struct decoding *d = (struct decoding *)common;
	if (level >= 0 || d->errors.msg_code != JWRN_HIT_MARKER || d->jpeg.unread_marker != JPEG_EOI)
		return;
	JDIMENSION lost = d->jpeg.total_iMCU_rows - d->jpeg.input_iMCU_row;
	if (lost > 1 && lost * TOLERATED_LOSS > d->jpeg.total_iMCU_rows)
		give_up(d, JPEG_TRUNCATED);
}

// A progressive file may ask for thousands of passes over a large picture.
static void on_progress(j_common_ptr common) {
	struct decoding *d = (struct decoding *)common;
	if (__atomic_load_n(d->cancel, __ATOMIC_RELAXED))
		give_up(d, JPEG_CANCELLED);
	if (d->jpeg.input_scan_number > d->max_scans)
		give_up(d, JPEG_SCANS);
}

// Adobe stores CMYK inverted, everyone else does not.
static void cmyk_to_rgba(const uint8_t *in, uint8_t *out, unsigned width, int inverted) {
	for (unsigned x = 0; x < width; x++, in += 4, out += 4) {
		unsigned k = inverted ? in[3] : 255 - in[3];
		for (int i = 0; i < 3; i++)
			out[i] = (uint8_t)((inverted ? in[i] : 255 - in[i]) * k / 255);
		out[3] = 255;
	}
}

static void decode(struct decoding *d, const uint8_t *data, unsigned long size, uint8_t *pix, unsigned width, unsigned height) {
	struct jpeg_decompress_struct *jpeg = &d->jpeg;
	if (setjmp(d->escape))
		return;
	jpeg_create_decompress(jpeg);
	jpeg->progress = &d->progress;
	jpeg_mem_src(jpeg, data, size);
	jpeg_read_header(jpeg, TRUE);
	if (jpeg->image_width != width || jpeg->image_height != height) {
		snprintf(d->result.message, sizeof d->result.message, "two frame headers that differ");
		give_up(d, JPEG_CORRUPT);
	}
	int cmyk = jpeg->num_components == 4;
	jpeg->out_color_space = cmyk ? JCS_CMYK : JCS_EXT_RGBA;
	jpeg_start_decompress(jpeg);
	JSAMPARRAY row = NULL;
	if (cmyk)
		row = jpeg->mem->alloc_sarray((j_common_ptr)jpeg, JPOOL_IMAGE, width * 4, 1);
	while (jpeg->output_scanline < height) {
		uint8_t *out = pix + (size_t)jpeg->output_scanline * width * 4;
		JSAMPROW direct = out;
		jpeg_read_scanlines(jpeg, cmyk ? row : &direct, 1);
		if (cmyk)
			cmyk_to_rgba(row[0], out, width, jpeg->saw_Adobe_marker);
	}
}

struct jpeg_result decode_jpeg(const uint8_t *data, unsigned long size, uint8_t *pix,
	unsigned width, unsigned height, int max_scans, const int32_t *cancel) {
	struct decoding d;
	memset(&d, 0, sizeof d);
	d.max_scans = max_scans;
	d.cancel = cancel;
	d.jpeg.err = jpeg_std_error(&d.errors);
	d.errors.error_exit = on_error;
	d.errors.emit_message = on_message;
	d.progress.progress_monitor = on_progress;
	decode(&d, data, size, pix, width, height);
	jpeg_destroy_decompress(&d.jpeg);
	return d.result;
}
