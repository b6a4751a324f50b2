"""The published recipes in Python: Pillow, numpy, scikit-image and SimpleITK, each step as its origin has it."""

import io

import numpy as np
import SimpleITK as sitk
from PIL import Image
from skimage import transform


def community(file, size=480):
    """The community loader on an image file: only L and LA become RGB; anything but three channels fails."""
    image = Image.open(file)
    if image.mode in ("L", "LA"):
        image = image.convert("RGB")
    if image.mode != "RGB":
        raise ValueError(image.mode)
    return np.asarray(image.resize((size, size), Image.BICUBIC))


def azure_endpoint(file, size=480, standard=512, quality=75):
    image = Image.open(file).resize((standard, standard)).convert("RGB")
    jpeg = io.BytesIO()
    image.save(jpeg, "JPEG", quality=quality)
    return np.asarray(Image.open(jpeg).convert("RGB").resize((size, size), Image.BICUBIC))


def toolkit(file, size=480, then="azure-endpoint", percentiles=(0.01, 0.99), dicom=False):
    """The client's preprocessing with its defaults, its PNG, and what the server makes of that."""
    if dicom:
        array = sitk.GetArrayFromImage(sitk.ReadImage(str(file))).astype(np.float32)[0]
    else:
        array = np.array(Image.open(file))
    if array.dtype != np.uint8:
        low, high = (np.percentile(array, 100 * p) for p in percentiles)
        array = (np.clip(array, low, high) - low) / (high - low) * 255.0
        array = array.astype(np.uint8)
    array = np.clip(spline(array), 0, 255).astype(np.uint8)
    image = Image.fromarray(array)
    if image.mode not in ("RGB", "LA"):
        raise ValueError(image.mode)
    png = io.BytesIO()
    image.save(png, "PNG")
    png.seek(0)
    return community(png, size) if then == "community" else azure_endpoint(png, size)


def spline(array, size=480):
    planes = [array] * 3 if array.ndim == 2 else [array[:, :, c] for c in range(array.shape[2])]
    resized = [
        transform.resize(p, (size, size), order=3, mode="constant", preserve_range=True, anti_aliasing=True)
        for p in planes
    ]
    return np.stack(resized, axis=2)
