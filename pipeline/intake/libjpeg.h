// Decoding one JPEG with libjpeg-turbo; see libjpeg.c.
#ifndef HEYAN_INTAKE_LIBJPEG_H
#define HEYAN_INTAKE_LIBJPEG_H

#include <stdint.h>

enum jpeg_status {
	JPEG_WHOLE = 0,     // every row was decoded, or all but a sliver at the bottom
	JPEG_TRUNCATED = 1, // the compressed data ends before the picture does
	JPEG_CORRUPT = 2,   // libjpeg gave up; message says why
	JPEG_SCANS = 3,     // more scans than allowed
	JPEG_CANCELLED = 4, // *cancel became non-zero
};

struct jpeg_result {
	enum jpeg_status status;
	char message[200];
};

// decode_jpeg writes width*height opaque RGBA pixels to pix. The width and the
// height must be those of the file's frame header.
struct jpeg_result decode_jpeg(const uint8_t *data, unsigned long size, uint8_t *pix,
	unsigned width, unsigned height, int max_scans, const int32_t *cancel);

#endif
