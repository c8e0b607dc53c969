"""The forms of the course: copies for one use each, made from the committed notebooks.

python -m tools.forms [live, student, instructor, alone, usb]     all but usb, if none

| form | in `build/` | for |
|---|---|---|
| live | a notebook whose `live` cells are empty | the instructor at the projector |
| student | without solutions and answers | a class whose exercises are handed in |
| instructor | one sheet per notebook, to read or print | whoever teaches |
| alone | notebooks that install what they need | Colab, Kaggle, a hub, an e-mail |
| usb | site, notebooks, data and wheels | a room without a network |

Nothing is written twice: what stands here is how a form differs from its notebook.
"""
