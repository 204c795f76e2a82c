"""The second factor: what a person signs, whose keys count, and what is armed by it. No stage; it writes to no system.

    keys      Ed25519 keys as text and files, and which addresses are this machine's own
    signing   one function over one payload: every word that a person says is signed and checked there
    scope     what an arming covers, and what of it is left in one run: pure
    armings   arming and disarming as words, and which of them count now
    content   what an arming is of: policy and estate as they decide what may be pushed, with their hash
"""
