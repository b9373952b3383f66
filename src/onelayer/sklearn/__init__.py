"""Drop-in classes with scikit-learn's names, signatures and attributes, fitted by onelayer."""
