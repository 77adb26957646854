"""UCI's handwritten digits, which scikit-learn brings along, read two columns a step."""

import numpy as np

INK = 16  # a pixel counts the dots of ink among the 4 by 4 that it stands for
FEATURES = 16  # pixels that a step reads


def load():
    """Pixels `[N, rows, columns]` to train on and to test with, then labels for both."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    digits = load_digits()
    split = {"test_size": 360, "random_state": 0, "stratify": digits.target}
    return train_test_split(digits.images.astype(int), digits.target, **split)


def steps(images):
    """Pixels `[N, rows, columns]` as `float32 [N, steps, FEATURES]`, from 0 to 1."""
    columns = np.swapaxes(images.astype(np.float32) / INK, 1, 2)
    return columns.reshape(len(images), -1, FEATURES)


def varied(images, rng, copies=5):
    """Pixels of 0 to 1, and copies: turned, stretched, slanted, moved and paled a little."""
    from scipy import ndimage

    center = np.array([3.5, 3.5])
    all_images = [images]
    for _ in range(copies):
        copy = np.empty_like(images)
        for image, new in zip(images, copy, strict=True):
            angle, slant = rng.normal(0, [0.048, 0.06])
            cosine, sine = np.cos(angle), np.sin(angle)
            turn = np.array([[cosine, slant - sine], [sine, cosine]])
            matrix = turn @ np.diag(rng.normal(1, 0.032, 2))
            offset = center - matrix @ center + rng.normal(0, 0.16, 2)
            ndimage.affine_transform(image, matrix, offset, output=new, order=1)
        all_images.append(np.clip(copy * rng.normal(1, 0.04, (len(copy), 1, 1)), 0, 1))
    return np.concatenate(all_images).astype("float32")
